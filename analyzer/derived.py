"""What is worked out about a connection while it is loaded, so that nothing else need be kept.

A dozen columns say how a connection went; detectors ask three questions of them. The answers take
four bytes a row where the columns take sixty, and no query has to work them out again.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import ibis
import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import ibis.expr.types as ir

UNKNOWN_TRANSPORT = "unknown_transport"
"""Zeek's proto for IP protocols other than TCP, UDP and ICMP (since 7.1)."""

FIRST_USER_PORT = 1024
"""Below are the system ports (RFC 6335), where services listen."""

# The protocol field of an IP header has eight bits.
_MOST_PROTOCOLS = 255

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
    answer = (conn.orig_p < FIRST_USER_PORT) & (conn.resp_p >= FIRST_USER_PORT)
    return ibis.cases(
        (conn.proto == "tcp", True),
        (conn.proto == "udp", ~(traceroute | answer).fill_null(False)),
        (conn.proto == "icmp", conn.orig_p.isin(_ICMP_REQUESTS).fill_null(False)),
        else_=True,
    )


def tried_port(conn: ir.Table) -> ir.IntegerColumn:
    """What of the responder was tried: its port, 0 for ICMP, the IP protocol where that is all.

    Each ICMP request type is a port to Zeek; a sweep with two of them is still one sweep. Other IP
    protocols have no ports at all: there the protocol itself is what is tried.
    """
    port = ibis.cases(
        (conn.proto == "icmp", 0),
        (conn.proto == UNKNOWN_TRANSPORT, ibis.least(conn.ip_proto, _MOST_PROTOCOLS)),
        else_=conn.resp_p,
    )
    return port.cast("uint16").fill_null(0)


LOGIN_SERVICES: tuple[str, ...] = (
    "",
    "ssh",
    "rdp",
    "ftp",
    "telnet",
    "smb",
    "rfb",
    "winrm",
    "smtp",
    "imap",
    "pop3",
    "ldap",
    "krb",
    "mysql",
    "postgresql",
    "mssql",
    "redis",
    "sip",
)
"""The services that ask who one is, as Zeek names them where it knows them; the first is none."""

_LOGIN_PORTS: dict[str, tuple[int, ...]] = {
    "ssh": (22, 2222),
    "rdp": (3389,),
    "ftp": (21, 990),
    "telnet": (23, 2323),
    "smb": (139, 445),
    "rfb": (5900, 5901),
    "winrm": (5985, 5986),
    "smtp": (465, 587),
    "imap": (143, 993),
    "pop3": (110, 995),
    "ldap": (389, 636),
    "krb": (88,),
    "mysql": (3306,),
    "postgresql": (5432,),
    "mssql": (1433,),
    "redis": (6379,),
    "sip": (5060, 5061),
}


def login_service(conn: ir.Table) -> ir.IntegerColumn:
    """Which of :data:`LOGIN_SERVICES` a connection speaks, by index.

    What Zeek confirmed decides; where it confirmed nothing (the connection failed, or is encrypted
    from its first byte), the service's own ports (IANA) do.
    """
    confirmed = "," + conn.service.fill_null("").lower() + ","
    named = [
        (confirmed.contains(f",{name},"), index)
        for index, name in enumerate(LOGIN_SERVICES)
        if name
    ]
    by_port = [
        (conn.resp_p.isin(ports), LOGIN_SERVICES.index(name))
        for name, ports in _LOGIN_PORTS.items()
    ]
    unnamed = conn.service.fill_null("").isin(("", "ssl"))
    port = ibis.ifelse(unnamed & (conn.proto == "tcp"), ibis.cases(*by_port, else_=0), 0)
    known = ibis.ifelse(unnamed, port, ibis.cases(*named, else_=0))
    return known.cast("uint8").fill_null(0)


SHORTENED = {"duration": "float32", "orig_pkts": "uint32"}
"""Columns kept in half the room, and their types there.

Seven digits of a duration are enough for what is asked of it; packets are counted to
:data:`MOST_PACKETS`.
"""

MOST_PACKETS = 2**32 - 1


OUTCOME = ("proto", "service", "conn_state", "history")
"""The texts that :data:`OUTCOMES` depend on; :func:`outcome_key` says what else."""

_UNSET = -1


@cache
def _alike() -> npt.NDArray[np.int64]:
    """For each responder's port the lowest one that is derived alike, but for `tried_p`."""
    logins = [port for each in _LOGIN_PORTS.values() for port in each]
    ports = np.arange(65536)
    own = (ports < FIRST_USER_PORT) | np.isin(ports, logins)
    own |= (ports >= _TRACEROUTE_PORTS[0]) & (ports <= _TRACEROUTE_PORTS[1])
    return np.where(own, ports, FIRST_USER_PORT)


def outcome_key(
    orig_p: npt.NDArray[np.int64],
    resp_p: npt.NDArray[np.int64],
    resp_bytes: npt.NDArray[np.int64],
    resp_pkts: npt.NDArray[np.int64],
    ip_proto: npt.NDArray[np.int64],
) -> npt.NDArray[np.int64]:
    """A number for each connection: with equal :data:`OUTCOME`, equal ones are derived equally.

    Only :func:`tried_port` may differ, see :func:`tried_ports`. Of the originator's port it only
    matters whether it is a system port (below are ICMP's types), of bytes and packets whether there
    are any. What is unset is below 0.
    """
    key = np.clip(orig_p, _UNSET, FIRST_USER_PORT) + 1
    port = np.where(resp_p < 0, _UNSET, _alike()[np.maximum(resp_p, 0)])
    for value, most in ((port, 65535), (resp_bytes, 1), (resp_pkts, 1), (ip_proto, 255)):
        key = key * (most + 2) + np.clip(value, _UNSET, most) + 1
    return key


def tried_ports(
    resp_p: npt.NDArray[np.int64],
    example_p: npt.NDArray[np.int64],
    tried_p: npt.NDArray[np.int64],
) -> npt.NDArray[np.int64]:
    """What connections tried, given the responder's port and what was tried of ones like them.

    Where the port of the example is what was tried, it is here, too: no protocol number and no
    missing port is as large as the ports that are taken for alike.
    """
    is_port = (example_p == tried_p) & (resp_p >= FIRST_USER_PORT)
    return np.where(is_port, resp_p, tried_p)


OUTCOMES = {
    "answered": is_answered,
    "request": is_request,
    "tried_p": tried_port,
    "login_service": login_service,
}
"""The columns worked out from how a connection went, by name."""

NOT_KEPT = ("service", "conn_state", "history", "resp_pkts", "ip_proto")
"""The columns of conn that no detector asks for once these are there."""


def condensed(conn: ir.Table) -> ir.Table:
    """Connections as detectors need them: with what is derived, without what it is derived from."""
    shortened = {name: conn[name].cast(kind) for name, kind in SHORTENED.items()}
    shortened["orig_pkts"] = conn.orig_pkts.clip(upper=MOST_PACKETS).cast(SHORTENED["orig_pkts"])
    derived = {name: derive(conn) for name, derive in OUTCOMES.items()}
    return conn.mutate(**shortened, **derived).drop(*NOT_KEPT)
