"""DNS zone transfers: a host that is no name server asks for all names of a zone at once.

AXFR and IXFR (RFC 5936, RFC 1995) copy a zone from one of its name servers to another. Whoever else
asks wants the list of hosts in it, which is how a network is explored without touching it. A host
that answers questions itself, or that comes back for the zone all day, is taken for a secondary.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from analyzer.detectors.detection import Detection, Detector, Shared, shared_name_servers
from analyzer.features import HOUR, plain_name
from analyzer.findings import Evidence

if TYPE_CHECKING:
    from analyzer.records import Records

_TYPES = ("AXFR", "IXFR")

# A transfer that was let through, one that was asked for, one of a zone that cannot be.
_ACCEPTED, _ASKED, _PROBED = 0.85, 0.8, 0.72
_SECONDARY = 0.5


@dataclass(frozen=True, slots=True)
class Parameters:
    """Who is a name server."""

    clients: int = field(
        default=2, metadata={"meaning": "hosts it answers from which a source is a name server"}
    )
    hours: int = field(
        default=3,
        metadata={"meaning": "hours with a transfer from which a source is a secondary"},
    )


def find(records: Records, parameters: Parameters, shared: Shared) -> Iterator[Detection]:
    """Sources and servers between which a zone transfer was asked for."""
    if not records.counts["dns"]:
        return
    dns = records.dns
    asked = dns.filter(dns.qtype_name.isin(_TYPES))
    asked = asked.select(
        "orig_h",
        "resp_h",
        "ts",
        zone=plain_name(asked).fill_null(""),
        accepted=(asked.rcode_name == "NOERROR").fill_null(False),
        hour=(asked.ts / HOUR).floor().cast("int64"),
    )
    pairs = asked.group_by("orig_h", "resp_h").aggregate(
        queries=asked.count(),
        zones=asked.zone.nunique(),
        zone=asked.zone.min(),
        is_zone=asked.zone.contains(".").any(),
        accepted=asked.accepted.sum(),
        hours=asked.hour.nunique(),
        first=asked.ts.min(),
        last=asked.ts.max(),
    )
    rows = pairs.order_by("orig_h", "resp_h").to_pyarrow().to_pylist()
    if not rows:
        return
    servers = shared_name_servers(records, shared)
    for row in rows:
        yield _detection(row, servers.get(row["orig_h"], 0), parameters)


def _detection(row: dict[str, Any], clients: int, parameters: Parameters) -> Detection:
    if clients >= parameters.clients or row["hours"] >= parameters.hours:
        score = _SECONDARY
    elif not row["is_zone"]:
        # Nobody's zone has a name of one label; scanners try such names.
        score = _PROBED
    else:
        score = _ACCEPTED if row["accepted"] else _ASKED
    what = row["zone"] or "the root"
    more = f" and {row['zones'] - 1:,} more" if row["zones"] > 1 else ""
    return Detection(
        source=row["orig_h"],
        destination=row["resp_h"],
        port=53,
        subject=row["zone"] if row["zones"] == 1 else "",
        first=row["first"],
        last=row["last"],
        score=score,
        message=f"{row['orig_h']} asked {row['resp_h']} for a zone transfer of {what}{more}",
        evidence=(
            Evidence("zone transfers asked for", row["queries"], expected=0),
            Evidence("zones", row["zones"]),
            Evidence("of them answered without an error", row["accepted"], expected=0),
            Evidence(
                "hosts that ask the source", clients, expected=0, threshold=parameters.clients
            ),
            Evidence("hours with a transfer", row["hours"], threshold=parameters.hours),
        ),
        connections=row["queries"],
    )


DETECTOR = Detector("dns_transfer", Parameters, find)
