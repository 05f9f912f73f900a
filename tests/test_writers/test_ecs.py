"""ECS documents: exact ones, and that whatever is in a finding gives one that can be indexed."""

from __future__ import annotations

import ipaddress
import json
import math
import re
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer.errors import OutputError
from analyzer.findings import ConnectionId, Evidence
from analyzer.mitre import technique
from analyzer.writers.ecs import ecs_document, ecs_lines, write_ecs
from analyzer.writers.notice import Written, unsuppressed

from . import FIRST, make_finding

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ANY_TEXT = st.text(st.characters(exclude_categories=[]))  # lone surrogates too
NUMBERS = st.floats() | st.integers(-(10**9), 10**12)

SCAN = {
    "@timestamp": "2023-11-14T22:20:00.123456Z",
    "ecs": {"version": "8.17.0"},
    "event": {
        "kind": "alert",
        "category": ["intrusion_detection", "network"],
        "type": ["info"],
        "module": "zeek_analyzer",
        "dataset": "zeek_analyzer.finding",
        "provider": "zeek-analyzer",
        "id": "b3ecb5c3a1b4a1d5",
        "severity": 73,
        "risk_score": 93.0,
        "risk_score_norm": 93.0,
        "start": "2023-11-14T22:13:20.000000Z",
        "end": "2023-11-14T22:20:00.123456Z",
        "duration": 400123456000,
    },
    "message": "10.0.0.5 tried 254 hosts on 22/tcp, 250 of them in vain",
    "rule": {
        "id": "address-scan",
        "name": "ZeekAnalyzer::Address_Scan",
        "ruleset": "zeek-analyzer",
        "reference": "https://attack.mitre.org/techniques/T1046/",
    },
    "source": {"address": "10.0.0.5", "ip": "10.0.0.5"},
    "destination": {"port": 22},
    "network": {"transport": "tcp", "type": "ipv4"},
    "threat": {
        "framework": "MITRE ATT&CK",
        "tactic": {
            "id": ["TA0007"],
            "name": ["Discovery"],
            "reference": ["https://attack.mitre.org/tactics/TA0007/"],
        },
        "technique": {
            "id": ["T1046"],
            "name": ["Network Service Discovery"],
            "reference": ["https://attack.mitre.org/techniques/T1046/"],
        },
    },
    "related": {"ip": ["10.0.0.5", "10.0.1.9"]},
    "zeek": {"session_id": ["CHhAvVGS1DHFjwGM9", "C2"]},
    "zeek_analyzer": {
        "score": 0.93,
        "severity": "high",
        "connections": 254,
        "connection": {
            "uid": "CHhAvVGS1DHFjwGM9",
            "orig_h": "10.0.0.5",
            "orig_p": 40000,
            "resp_h": "10.0.1.9",
            "resp_p": 22,
            "proto": "tcp",
        },
        "evidence": [
            {"name": "failed hosts", "observed": 250.0, "expected": 1.2, "threshold": 20.0},
            {"name": "share failed", "observed": 0.984, "threshold": 0.8},
            {"name": "length", "observed": 400.0, "unit": "s"},
        ],
        "summary": (
            "failed hosts 250 (expected 1.2, threshold 20); share failed 0.984 (threshold 0.8); "
            "length 6.67 min"
        ),
    },
}


def test_a_scan() -> None:
    finding = make_finding()
    (line,) = ecs_lines([finding])
    # Keys in this order, so that a person sees what matters first.
    expected = {**SCAN, "event": {**SCAN["event"], "id": finding.identifier}}  # type: ignore[dict-item]
    assert line == json.dumps(expected, separators=(",", ":")) + "\n"


def test_a_tunnel_is_a_question_to_dns() -> None:
    document = ecs_document(
        make_finding(
            rule="dns_tunnel",
            subject="t.example.net",
            destination="2001:db8::53",
            source="2001:db8::7",
            port=53,
            proto="udp",
            techniques=(technique("T1071.004"), technique("T1572"), technique("T1071.001")),
            evidence=(Evidence("qtypes", "TXT, NULL", expected="A"),),
            best=None,
            uids=(),
        )
    )
    assert document["dns"] == {
        "question": {"name": "t.example.net", "registered_domain": "example.net"}
    }
    assert document["network"] == {"transport": "udp", "type": "ipv6", "protocol": "dns"}
    assert document["destination"] == {
        "address": "2001:db8::53",
        "ip": "2001:db8::53",
        "port": 53,
    }
    assert document["related"] == {
        "ip": ["2001:db8::7", "2001:db8::53"],
        "hosts": ["t.example.net"],
    }
    assert document["threat"]["technique"] == {
        "id": ["T1071", "T1572"],
        "name": ["Application Layer Protocol", "Protocol Tunneling"],
        "reference": [
            "https://attack.mitre.org/techniques/T1071/",
            "https://attack.mitre.org/techniques/T1572/",
        ],
        "subtechnique": {
            "id": ["T1071.004", "T1071.001"],
            "name": ["DNS", "Web Protocols"],
            "reference": [
                "https://attack.mitre.org/techniques/T1071/004/",
                "https://attack.mitre.org/techniques/T1071/001/",
            ],
        },
    }
    assert "zeek" not in document
    assert document["zeek_analyzer"]["evidence"] == [
        {"name": "qtypes", "observed_text": "TXT, NULL", "expected_text": "A"}
    ]


def test_the_names_of_the_other_side() -> None:
    named = make_finding(
        destination="198.51.100.7",
        port=443,
        server_names=("cdn.example.com", "b.example.com"),
        looked_up_as=("cdn.example.com", "edge.example.net"),
        subject="example.com",
    )
    document = ecs_document(named)
    assert document["destination"]["domain"] == "cdn.example.com"
    assert document["related"]["hosts"] == [
        "cdn.example.com",
        "b.example.com",
        "edge.example.net",
        "example.com",
    ]
    assert document["dns"]["question"]["name"] == "example.com"
    looked_up = ecs_document(replace(named, server_names=(), looked_up_as=("edge.example.net",)))
    assert looked_up["destination"]["domain"] == "edge.example.net"
    # A beacon to one name behind several addresses.
    several = replace(named, server_names=(), looked_up_as=(), destination=None)
    assert ecs_document(several)["destination"] == {"port": 443, "domain": "example.com"}


@pytest.mark.parametrize(
    ("subject", "name"),
    [("type TXT", None), ("", None), ("198.51.100.0/24", None), ("co.uk", "co.uk")],
)
def test_only_a_name_is_asked_for(subject: str, name: str | None) -> None:
    document = ecs_document(make_finding(rule="dns_rare_type", subject=subject, port=53))
    assert document.get("dns") == (None if name is None else {"question": {"name": name}})
    assert document["network"]["protocol"] == "dns"
    assert "domain" not in document["destination"]


@pytest.mark.parametrize(
    ("source", "proto", "network"),
    [
        ("10.0.0.1", "icmp", {"transport": "icmp", "type": "ipv4"}),
        ("fe80::1", "icmp", {"transport": "ipv6-icmp", "type": "ipv6"}),
        ("fe80::1%eth0", "icmp", {"transport": "icmp"}),
        ("10.0.0.1", "unknown_transport", {"type": "ipv4"}),
        ("a host", "tcp", {"transport": "tcp"}),
    ],
)
def test_transport_is_iana_s(source: str, proto: str, network: dict[str, str]) -> None:
    document = ecs_document(make_finding(source=source, proto=proto))
    assert document["network"] == network
    assert document["source"]["address"] == source
    assert ("ip" in document["source"]) == ("type" in network)


def test_what_is_not_known_is_left_out() -> None:
    bare = make_finding(
        techniques=(), evidence=(), uids=(), best=None, port=None, proto=None, connections=0
    )
    assert sorted(ecs_document(bare)) == [
        "@timestamp",
        "ecs",
        "event",
        "message",
        "network",
        "related",
        "rule",
        "source",
        "zeek_analyzer",
    ]
    assert ecs_document(bare)["zeek_analyzer"] == {
        "score": 0.93,
        "severity": "high",
        "connections": 0,
    }


@pytest.mark.parametrize(
    ("score", "severity", "risk"),
    [(0.5, 0, 50.0), (0.7, 21, 70.0), (0.8, 47, 80.0), (0.949, 73, 94.9), (1.0, 99, 100.0)],
)
def test_severity_is_elastic_s(score: float, severity: int, risk: float) -> None:
    event = ecs_document(make_finding(score=score))["event"]
    assert (event["severity"], event["risk_score"]) == (severity, risk)


# Of the schema's fields.csv, what we use. Below a field that is no object there is nothing.
FIELDS = [
    "@timestamp",
    "ecs.version",
    "message",
    "event.kind",
    "event.category",
    "event.type",
    "event.module",
    "event.dataset",
    "event.provider",
    "event.id",
    "event.severity",
    "event.risk_score",
    "event.risk_score_norm",
    "event.start",
    "event.end",
    "event.duration",
    "rule.id",
    "rule.name",
    "rule.ruleset",
    "rule.reference",
    "source.address",
    "source.ip",
    "destination.address",
    "destination.ip",
    "destination.port",
    "destination.domain",
    "network.transport",
    "network.type",
    "network.protocol",
    "dns.question.name",
    "dns.question.registered_domain",
    "threat.framework",
    "threat.tactic.id",
    "threat.tactic.name",
    "threat.tactic.reference",
    "threat.technique.id",
    "threat.technique.name",
    "threat.technique.reference",
    "threat.technique.subtechnique.id",
    "threat.technique.subtechnique.name",
    "threat.technique.subtechnique.reference",
    "related.ip",
    "related.hosts",
]


def leaves(value: object, path: str = "") -> Iterator[str]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield from leaves(item, f"{path}.{key}" if path else key)
    else:
        yield path


def test_every_field_is_the_schema_s_or_below_a_name_of_its_own() -> None:
    full = make_finding(
        destination="198.51.100.7",
        subject="a.example.com",
        techniques=(technique("T1071.004"),),
        server_names=("b.example.com",),
        port=53,
    )
    named = set(leaves(ecs_document(full)))
    assert {name for name in named if not name.startswith("zeek")} == set(FIELDS)


@given(
    text=ANY_TEXT,
    source=ANY_TEXT | st.ip_addresses().map(str),
    names=st.lists(ANY_TEXT, max_size=3),
    observed=NUMBERS | ANY_TEXT,
    times=st.tuples(st.floats(), st.floats()),
    rule=st.sampled_from(["dns_tunnel", "beacon"]) | ANY_TEXT,
)
def test_any_finding_is_one_document_of_the_same_types(
    *,
    text: str,
    source: str,
    names: list[str],
    observed: float | str,
    times: tuple[float, float],
    rule: str,
) -> None:
    finding = make_finding(
        # What has no hour has no identifier either.
        first=times[0] if math.isfinite(times[0]) else FIRST,
        last=times[1],
        rule=rule,
        message=text,
        subject=text,
        source=source,
        destination=text,
        server_names=tuple(names),
        uids=tuple(names),
        evidence=(Evidence(text, observed, expected=text, unit=text),),
        best=ConnectionId(text, text, 1, source, 2, text),
    )
    (line,) = ecs_lines([finding])
    assert line.endswith("\n")
    assert len(line.splitlines()) == 1
    document = json.loads(line.encode())
    assert document["event"]["id"] == finding.identifier
    for place in (document["source"], document["destination"]):
        assert isinstance(place["address"], str)
        if "ip" in place:
            ipaddress.ip_address(place["ip"])
    for address in document.get("related", {}).get("ip", ()):
        ipaddress.ip_address(address)
    if "@timestamp" in document:
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:.]{15}Z", document["@timestamp"])
    (evidence,) = document["zeek_analyzer"]["evidence"]
    assert isinstance(evidence.get("observed", 0.0), float)
    assert isinstance(evidence.get("observed_text", ""), str)


def test_a_file_holds_what_a_notice_log_would(tmp_path: Path) -> None:
    path = tmp_path / "out" / "notice.ecs.ndjson"
    findings = [make_finding(last=FIRST + 9), make_finding(), make_finding(port=23)]
    assert write_ecs(iter(findings), path) == Written(2, 1)
    assert path.read_text() == "".join(ecs_lines(unsuppressed(findings)))
    assert write_ecs([], path) == Written(0, 0)
    assert path.read_bytes() == b""


def test_documents_of_others_are_not_replaced(tmp_path: Path) -> None:
    path = tmp_path / "notice.ecs.ndjson"
    path.write_text('{"event":{"module":"zeek"},"rule":{"name":"Scan::Port_Scan"}}\n')
    with pytest.raises(OutputError, match=r"holds notices of others \(Scan::Port_Scan\)"):
        write_ecs([], path)
