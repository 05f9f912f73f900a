"""DNS record types that hosts do not ask for, and TXT records by the hundred.

Hosts ask for addresses, aliases, services, mail routes, keys and certificates. Obsolete,
experimental and unassigned types (IANA's registry of DNS parameters, RFC 6895) are asked for by
tools: iodine's tunnels take NULL and PRIVATE (65399), whose answers hold any octets,
malware has used KEY and others for the same reason, and ANY (RFC 8482), HINFO or WKS are what
explorers and reflection attacks ask for. A type that several hosts of a network ask for is at home
there. TXT records carry the most text of the ordinary types; hosts that route mail read them all
day (RFC 7208), others hardly ever.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import ibis

from analyzer.detectors.detection import (
    RARE,
    Detection,
    Detector,
    Shared,
    score_on,
    shared_local_askers,
    shared_name_servers,
    shared_questions,
)
from analyzer.findings import Evidence
from analyzer.parameters import Share

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from analyzer.records import Records

# Types of everyday names, mail, calls, keys and DNSSEC, as Zeek calls them, and NetBIOS.
_ORDINARY = (
    "A", "AAAA", "CNAME", "PTR", "HTTPS", "SVCB", "SRV", "TXT", "SPF", "MX", "NS", "SOA", "NAPTR",
    "CAA", "TLSA", "SMIMEA", "OPENPGPKEY", "SSHFP", "CERT", "DS", "CDS", "DNSKEY", "CDNSKEY",
    "RRSIG", "NSEC", "NSEC3", "NSEC3PARAM", "DNAME", "URI", "LOC", "TKEY", "TSIG", "OPT", "EDNS",
    "NB", "NBSTAT", "NIMLOC", "AXFR", "IXFR",
)  # fmt: skip
_TEXT = ("TXT", "SPF")
_MAIL = "MX"
# Types that answer with free octets and that nothing but tunnels asks for, and iodine's own.
_CARRIERS = ("NULL", "query-65399", "PRIVATE")
# Some mail servers, browsers and probes ask for ANY now and then.
_ANY = ("*", "ANY")
_ANY_ALLOWANCE = 20.0

# Questions over the least number -> score.
_CURVE = ((0.0, 0.0), (1.0, 0.7), (20.0, 0.75), (200.0, 0.78), (10_000.0, 0.79))
_CARRIER_CURVE = ((0.0, 0.0), (1.0, 0.7), (20.0, 0.8), (200.0, 0.85), (10_000.0, 0.9))
_AT_HOME = 0.5
# Where names are hardly ever repeated, they carry data, and dns_tunnel.py has more to say.
_TUNNEL = 0.5
_LOW = 0.79


@dataclass(frozen=True, slots=True)
class Parameters:
    """Which types, how many questions, and by how few."""

    of: Literal["rare", "text"] = field(
        default="rare",
        metadata={"meaning": "what is counted: types that nobody needs, or TXT records"},
    )
    queries: int = field(
        default=5, metadata={"meaning": "least questions of a host; of TXT within an hour"}
    )
    common: int = field(
        default=3, metadata={"meaning": "hosts doing the like from which it is at home here"}
    )
    text_share: Share = field(
        default=0.5, metadata={"meaning": "least share of TXT among the questions of the hour"}
    )


def find(records: Records, parameters: Parameters, shared: Shared) -> Iterator[Detection]:
    """Local hosts that ask for types that hardly anybody else asks for."""
    if not records.counts["dns"]:
        return
    questions = shared_questions(records, shared)
    ask = _rare if parameters.of == "rare" else _text
    rows = ask(questions, parameters).to_pyarrow().to_pylist()
    local = shared_local_askers(records, shared) if rows else frozenset()
    rows = [row for row in rows if row["orig_h"] in local]
    if not rows:
        return
    servers = shared_name_servers(records, shared)
    names = _names(rows, records)
    # One host in fifty does not make a habit of the network, however large it is.
    common = max(parameters.common, RARE * len(local))
    for row in rows:
        alike = len({each["orig_h"] for each in rows if each["qtype_name"] == row["qtype_name"]})
        at_home = alike >= common or servers.get(row["orig_h"], 0) >= parameters.common
        if parameters.of == "text":
            yield _of_text(row, alike, parameters, at_home=at_home)
        else:
            of_names = names.get((row["orig_h"], row["qtype_name"]), 0)
            yield _of_type(row | {"names": of_names}, alike, parameters, at_home=at_home)


def _rare(questions: ir.Table, parameters: Parameters) -> ir.Table:
    """Each host and each type that is not ordinary."""
    odd = questions.filter(questions.qtype_name.notnull() & ~questions.qtype_name.isin(_ORDINARY))
    table = odd.group_by("orig_h", "qtype_name").aggregate(
        queries=odd.queries.sum(),
        servers=odd.resp_h.nunique(),
        first=odd["first"].min(),
        last=odd["last"].max(),
    )
    return table.filter(table.queries * 2 >= parameters.queries).order_by("orig_h", "qtype_name")


def _names(rows: list[dict[str, Any]], records: Records) -> dict[tuple[str, str], int]:
    """For each host and each type that carries data, how many names it asked for."""
    sources = {row["orig_h"] for row in rows if row["qtype_name"] in _CARRIERS}
    if not sources:
        return {}
    dns = records.dns
    asked = dns.filter(dns.qtype_name.isin(_CARRIERS) & dns.orig_h.isin(sorted(sources)))
    table = asked.group_by("orig_h", "qtype_name").aggregate(names=asked["query"].nunique())
    return {
        (row["orig_h"], row["qtype_name"]): row["names"] for row in table.to_pyarrow().to_pylist()
    }


def _text(questions: ir.Table, parameters: Parameters) -> ir.Table:
    """Each host's hour with most TXT questions, of hosts that do not ask for mail routes."""
    text = questions.qtype_name.isin(_TEXT).fill_null(False)
    hours = questions.group_by("orig_h", "hour").aggregate(
        every=questions.queries.sum(),
        queries=questions.queries.sum(where=text).fill_null(0),
        mail=(questions.qtype_name == _MAIL).fill_null(False).any(),
        first=questions["first"].min(where=text),
        last=questions["last"].max(where=text),
    )
    mailing = hours.filter(hours.mail).select("orig_h").distinct()
    hours = hours.anti_join(mailing, "orig_h")
    loud = hours.filter(
        (hours.queries * 2 >= parameters.queries)
        & (hours.queries >= parameters.text_share * hours.every)
    )
    return loud.mutate(qtype_name=ibis.literal("TXT")).order_by("orig_h", "hour")


def _of_type(
    row: dict[str, Any], alike: int, parameters: Parameters, *, at_home: bool
) -> Detection:
    name = row["qtype_name"]
    curve = _CARRIER_CURVE if name in _CARRIERS else _CURVE
    least = parameters.queries * (_ANY_ALLOWANCE if name in _ANY else 1)
    score = score_on(row["queries"] / least, curve)
    shown = "ANY" if name in _ANY else name
    if row["names"] >= _TUNNEL * row["queries"]:
        score = min(score, _LOW)
    return Detection(
        source=row["orig_h"],
        port=53,
        subject=f"type {shown}",
        first=row["first"],
        last=row["last"],
        score=min(score, _AT_HOME) if at_home else score,
        message=f"{row['orig_h']} asked {row['queries']:,} times for DNS records of type {shown}",
        evidence=(
            Evidence(f"questions of type {shown}", row["queries"], expected=0, threshold=least),
            Evidence("local hosts asking for the type", alike, threshold=parameters.common),
            Evidence("servers asked", row["servers"]),
            *([Evidence("distinct names", row["names"])] if name in _CARRIERS else []),
        ),
        connections=row["queries"],
        technique="T1498.002" if name in _ANY else None,
    )


def _of_text(
    row: dict[str, Any], alike: int, parameters: Parameters, *, at_home: bool
) -> Detection:
    score = score_on(row["queries"] / parameters.queries, _CURVE)
    share = row["queries"] / row["every"]
    return Detection(
        source=row["orig_h"],
        port=53,
        first=row["first"],
        last=row["last"],
        score=min(score, _AT_HOME) if at_home else score,
        message=f"{row['orig_h']} asked {row['queries']:,} times for TXT records within an hour",
        evidence=(
            Evidence(
                "TXT questions in an hour",
                row["queries"],
                expected=0,
                threshold=parameters.queries,
            ),
            Evidence(
                "share of the hour's questions",
                round(share, 3),
                expected=0.02,
                threshold=parameters.text_share,
            ),
            Evidence("local hosts doing the like", alike, threshold=parameters.common),
        ),
        connections=row["queries"],
    )


DETECTOR = Detector("dns_type", Parameters, find)
