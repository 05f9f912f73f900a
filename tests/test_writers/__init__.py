"""What the writers are tested with: one finding, to be varied."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from analyzer.findings import ConnectionId, Evidence, Finding
from analyzer.mitre import technique

FIRST = 1700000000.0  # 2023-11-14 22:13:20 UTC

_SCAN = Finding(
    rule="address-scan",
    note="ZeekAnalyzer::Address_Scan",
    source="10.0.0.5",
    port=22,
    proto="tcp",
    first=FIRST,
    last=FIRST + 400.123456,
    score=0.93,
    techniques=(technique("T1046"),),
    message="10.0.0.5 tried 254 hosts on 22/tcp, 250 of them in vain",
    evidence=(
        Evidence("failed hosts", 250, expected=1.2, threshold=20),
        Evidence("share failed", 0.984, threshold=0.8),
        Evidence("length", 400.0, unit="s"),
    ),
    connections=254,
    uids=("CHhAvVGS1DHFjwGM9", "C2"),
    best=ConnectionId("CHhAvVGS1DHFjwGM9", "10.0.0.5", 40000, "10.0.1.9", 22, "tcp"),
)


def make_finding(**changes: Any) -> Finding:  # noqa: ANN401 - the attributes of a finding
    """Make a scan finding with some attributes changed."""
    return replace(_SCAN, **changes)
