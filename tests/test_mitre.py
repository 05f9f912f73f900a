from __future__ import annotations

import re

import pytest

from analyzer.mitre import TACTICS, TECHNIQUES, suggest, technique

MATRIX = [
    ("TA0043", "Reconnaissance", "reconnaissance"),
    ("TA0042", "Resource Development", "resource-development"),
    ("TA0001", "Initial Access", "initial-access"),
    ("TA0002", "Execution", "execution"),
    ("TA0003", "Persistence", "persistence"),
    ("TA0004", "Privilege Escalation", "privilege-escalation"),
    ("TA0005", "Defense Evasion", "defense-evasion"),
    ("TA0006", "Credential Access", "credential-access"),
    ("TA0007", "Discovery", "discovery"),
    ("TA0008", "Lateral Movement", "lateral-movement"),
    ("TA0009", "Collection", "collection"),
    ("TA0011", "Command and Control", "command-and-control"),
    ("TA0010", "Exfiltration", "exfiltration"),
    ("TA0040", "Impact", "impact"),
]

NEEDED = """
T1595 T1595.001 T1595.002 T1590 T1046 T1018 T1049 T1135 T1016 T1021 T1021.001 T1021.002 T1021.003
T1021.004 T1021.005 T1021.006 T1210 T1570 T1563 T1110 T1110.001 T1110.002 T1110.003 T1110.004 T1190
T1133 T1078 T1189 T1071 T1071.001 T1071.002 T1071.003 T1071.004 T1568 T1568.001 T1568.002 T1568.003
T1571 T1572 T1573 T1573.001 T1573.002 T1090 T1090.001 T1090.002 T1090.003 T1090.004 T1095 T1102
T1104 T1105 T1132 T1132.001 T1132.002 T1001 T1008 T1219 T1205 T1041 T1048 T1048.001 T1048.002
T1048.003 T1030 T1029 T1020 T1567 T1567.002 T1537 T1498 T1498.001 T1498.002 T1499 T1496 T1557 T1040
""".split()  # noqa: SIM905 - one a line would be 76 lines


def test_tactics_are_those_of_the_matrix_in_its_order() -> None:
    assert [(each.id, each.name, each.shortname) for each in TACTICS.values()] == MATRIX
    assert list(TACTICS) == [identifier for identifier, _, _ in MATRIX]


def test_every_technique_a_network_detector_needs_is_there() -> None:
    assert set(NEEDED) - set(TECHNIQUES) == set()


def test_table_is_well_formed() -> None:
    order = list(TACTICS)
    names = [each.name for each in TECHNIQUES.values()]
    assert len(set(names)) == len(names)
    for identifier, each in TECHNIQUES.items():
        assert each.id == identifier
        assert re.fullmatch(r"T\d{4}(\.\d{3})?", identifier)
        assert each.tactics
        assert list(each.tactics) == sorted(each.tactics, key=order.index)
        parent, dot, _ = identifier.partition(".")
        if dot:
            assert each.name.startswith(f"{TECHNIQUES[parent].name}: ")
        else:
            assert ": " not in each.name


@pytest.mark.parametrize(
    ("identifier", "name", "tactics"),
    [
        ("T1071.004", "Application Layer Protocol: DNS", ("TA0011",)),
        ("T1568.002", "Dynamic Resolution: Domain Generation Algorithms", ("TA0011",)),
        ("T1021.002", "Remote Services: SMB/Windows Admin Shares", ("TA0008",)),
        ("T1219", "Remote Access Tools", ("TA0011",)),
        ("T1078", "Valid Accounts", ("TA0001", "TA0003", "TA0004", "TA0005")),
        ("T1205", "Traffic Signaling", ("TA0003", "TA0005", "TA0011")),
        ("T1557", "Adversary-in-the-Middle", ("TA0006", "TA0009")),
        ("T1040", "Network Sniffing", ("TA0006", "TA0007")),
        ("T1133", "External Remote Services", ("TA0001", "TA0003")),
        (
            "T1048.003",
            "Exfiltration Over Alternative Protocol: Exfiltration Over Unencrypted Non-C2 Protocol",
            ("TA0010",),
        ),
    ],
)
def test_technique(identifier: str, name: str, tactics: tuple[str, ...]) -> None:
    found = technique(identifier)
    assert (found.name, found.tactics) == (name, tactics)


def test_url() -> None:
    assert technique("T1071.004").url == "https://attack.mitre.org/techniques/T1071/004/"
    assert technique("T1046").url == "https://attack.mitre.org/techniques/T1046/"


def test_unknown_technique_names_close_ones() -> None:
    with pytest.raises(KeyError) as caught:
        technique("T1046.001")
    assert caught.value.args == (
        f"no ATT&CK 17.1 technique 'T1046.001'; did you mean {' or '.join(suggest('T1046.001'))}?",
    )
    with pytest.raises(KeyError) as caught:
        technique("nonsense")
    assert caught.value.args == ("no ATT&CK 17.1 technique 'nonsense'",)


def test_suggest() -> None:
    assert suggest("t1046")[0] == "T1046"
    assert suggest("T1568.02") == ["T1568", "T1568.002", "T1568.003"]
    assert "T1046" in suggest("T1O46")
    assert suggest("T1048.004") == ["T1048", "T1048.003", "T1048.002"]
    assert suggest("") == []
