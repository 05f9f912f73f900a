"""What several detectors measure, one definition each."""

from __future__ import annotations

from typing import TYPE_CHECKING

import ibis
import pyarrow as pa

from analyzer.networks import is_group

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from analyzer.records import Records

HALF_DAY = 43_200.0

UNKNOWN_TRANSPORT = "unknown_transport"
"""Zeek's proto for IP protocols other than TCP, UDP and ICMP (since 7.1)."""

# The protocol field of an IP header has eight bits.
_MOST_PROTOCOLS = 255

# Below are the system ports (RFC 6335), where services listen.
_FIRST_USER_PORT = 1024

_ANSWERED_STATES = ("SF", "S1", "S2", "S3", "RSTO")
_UNANSWERED_STATES = ("S0", "REJ")

# Echo, timestamp, information and address mask requests (RFC 792, 950, 4443): what a host sends to
# learn who is there. The other ICMP messages are answers or errors about someone else's packets.
_ICMP_REQUESTS = (8, 13, 15, 17, 128)

# traceroute's UDP ports: 33434 plus three probes for each of up to 64 hops.
_TRACEROUTE_PORTS = (33434, 33434 + 3 * 64)


def is_answered(conn: ir.Table) -> ir.BooleanColumn:
    """Whether the responder answered as a host that offers the service.

    For TCP it did if it sent anything but resets: a SYN-ACK (h), data (d), an ACK (a) or a FIN (f)
    in Zeek's history; so closed ports, silent hosts and the replies to FIN, NULL, Xmas, ACK and
    window scans all count as failed. A TCP originator that sent data had a connection, even if the
    sensor saw one side only, and where Zeek flipped the direction (``^``) nobody knows who asked.
    For everything else, a packet that came back is an answer.
    """
    history = conn.history.fill_null("")
    packets = conn.resp_pkts > 0
    return ibis.cases(
        (conn.proto != "tcp", ibis.coalesce(packets, conn.resp_bytes > 0, True)),
        (conn.conn_state.isin(_ANSWERED_STATES), True),
        (conn.conn_state.isin(_UNANSWERED_STATES), history.contains("^")),
        (history != "", history.re_search("[hdafD^]")),
        else_=ibis.coalesce(packets, conn.resp_bytes > 0, True),
    )


def is_request(conn: ir.Table) -> ir.BooleanColumn:
    """Whether a connection was an attempt to reach its responder, rather than stray traffic.

    Left out are ICMP messages that ask nothing, traceroute's probes, and UDP from a service port to
    a high one, which is an answer whose question was not seen.
    """
    traceroute = conn.resp_p.between(*_TRACEROUTE_PORTS)
    answer = (conn.orig_p < _FIRST_USER_PORT) & (conn.resp_p >= _FIRST_USER_PORT)
    return ibis.cases(
        (conn.proto == "tcp", True),
        (conn.proto == "udp", ~(traceroute | answer).fill_null(False)),
        (conn.proto == "icmp", conn.orig_p.isin(_ICMP_REQUESTS)),
        else_=True,
    )


def contacts(records: Records) -> ir.Table:
    """Who tried to reach whom: a row per source, destination, port, protocol and half day.

    Columns: ``orig_h resp_h resp_p proto half_day`` (half days since 1970), ``first last`` (times),
    ``connections``, ``answered`` (in any of them), ``local_orig`` (what Zeek said of the source),
    ``is_local`` (whether the destination is local).
    Multicast and broadcast are left out. Computed once per run.
    """
    conn = records.conn
    attempts = conn.filter(is_request(conn))
    # Each ICMP request type is a port to Zeek; a sweep with two of them is still one sweep. Other
    # IP protocols have no ports at all: there the protocol itself is what is tried.
    port = ibis.cases(
        (attempts.proto == "icmp", 0),
        (attempts.proto == UNKNOWN_TRANSPORT, ibis.least(attempts.ip_proto, _MOST_PROTOCOLS)),
        else_=attempts.resp_p,
    ).cast("uint16")
    table = attempts.group_by(
        "orig_h",
        "resp_h",
        "proto",
        resp_p=port.fill_null(0),
        half_day=(attempts.ts / HALF_DAY).floor().cast("int64"),
    ).aggregate(
        first=attempts.ts.min(),
        last=attempts.ts.max(),
        connections=attempts.count(),
        answered=is_answered(attempts).any(),
        local_orig=attempts.local_orig.any(),
        local_resp=attempts.local_resp.any(),
    )
    return records.keep(_with_locality(table.filter(~is_group(table.resp_h)), records), "contacts")


def _with_locality(table: ir.Table, records: Records) -> ir.Table:
    """Replace ``local_resp`` by `is_local`, looking each address up once."""
    table = records.keep(table, "contacts_unplaced")
    addresses = table.group_by("resp_h").aggregate(flag=table.local_resp.any()).to_pandas()
    local = records.local.are_local(addresses.resp_h, addresses.flag)
    known = records.keep(
        pa.table({"resp_h": addresses.resp_h.to_list(), "is_local": local}, _LOCALITY),
        "known_addresses",
    )
    return table.join(known, "resp_h").drop("local_resp")


_LOCALITY = pa.schema([("resp_h", pa.string()), ("is_local", pa.bool_())])


# Multicast DNS, LLMNR and NetBIOS name service (RFC 6762, 4795, 1002) ask the neighbours.
_NEIGHBOUR_PORTS = (5353, 5355, 137)

# Reverse lookups, and suffixes that never leave a site: RFC 6761, 6762, 8375, and ICANN's list of
# names never to be delegated (SAC113 reserves .internal).
_SITE_SUFFIXES = (
    ".arpa",
    ".local",
    ".localhost",
    ".localdomain",
    ".lan",
    ".home",
    ".corp",
    ".internal",
    ".intranet",
    ".private",
    ".test",
    ".invalid",
)

# Types that carry free data and that hosts rarely ask for by themselves.
_DATA_TYPES = ("TXT", "NULL", "CNAME", "MX", "KEY", "SRV", "PRIVATE", "CERT", "DNSKEY", "URI", "RP")


def plain_name(dns: ir.Table) -> ir.StringValue:
    """The name asked for in lower case, without a trailing dot."""
    name = dns["query"].lower()
    return ibis.ifelse(name.endswith("."), name.substr(0, name.length() - 1), name)


def asked_names(records: Records) -> ir.Table:
    """Which host asked for which name: a row per source and name.

    Columns: ``orig_h name`` (lower case, no trailing dot), ``first last`` (times), ``queries``,
    ``data_queries`` (of types that carry free data), ``refused`` (NXDOMAIN). Questions to the
    neighbours, reverse lookups, names of one label and site suffixes are left out. Computed once
    per run.
    """
    dns = records.dns
    asked = dns.filter(~dns.resp_p.isin(_NEIGHBOUR_PORTS).fill_null(False))
    # Most questions are repeats: they are counted before their names are looked at.
    raw = asked.group_by("orig_h", "query").aggregate(
        first=asked.ts.min(),
        last=asked.ts.max(),
        queries=asked.count(),
        data_queries=asked.qtype_name.isin(_DATA_TYPES).fill_null(False).sum(),
        refused=(asked.rcode_name == "NXDOMAIN").fill_null(False).sum(),
    )
    named = raw.mutate(name=plain_name(raw))
    site = ibis.or_(*(named.name.endswith(suffix) for suffix in _SITE_SUFFIXES))
    named = named.filter(named.name.contains(".") & ~site)
    table = named.group_by("orig_h", "name").aggregate(
        first=named["first"].min(),
        last=named["last"].max(),
        **{
            count: named[count].sum().cast("int64")
            for count in ("queries", "data_queries", "refused")
        },
    )
    return records.keep(table, "asked_names")
