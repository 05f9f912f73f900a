"""The part of MITRE ATT&CK Enterprise that network logs can speak of: ids, names, tactics.

Source: https://attack.mitre.org/versions/v17/matrices/enterprise/. A sub-technique is named as
ATT&CK cites it, ``Parent: Sub``.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass

ATTACK_VERSION = "17.1"


@dataclass(frozen=True, slots=True)
class Tactic:
    """Why an adversary does something.

    Attributes:
        id: ATT&CK id (``TA0008``).
        name: its name (``Lateral Movement``).
        shortname: its name in tags (``lateral-movement``).
    """

    id: str
    name: str
    shortname: str


@dataclass(frozen=True, slots=True)
class Technique:
    """How an adversary does it.

    Attributes:
        id: ATT&CK id (``T1071.004``).
        name: its name (``Application Layer Protocol: DNS``).
        tactics: ids of the tactics it serves, in matrix order.
    """

    id: str
    name: str
    tactics: tuple[str, ...]

    @property
    def url(self) -> str:
        """Its page at attack.mitre.org."""
        return f"https://attack.mitre.org/techniques/{self.id.replace('.', '/')}/"


def _tactic(identifier: str, name: str) -> Tactic:
    return Tactic(identifier, name, name.lower().replace(" ", "-"))


TACTICS: dict[str, Tactic] = {
    tactic.id: tactic
    for tactic in (
        _tactic("TA0043", "Reconnaissance"),
        _tactic("TA0042", "Resource Development"),
        _tactic("TA0001", "Initial Access"),
        _tactic("TA0002", "Execution"),
        _tactic("TA0003", "Persistence"),
        _tactic("TA0004", "Privilege Escalation"),
        _tactic("TA0005", "Defense Evasion"),
        _tactic("TA0006", "Credential Access"),
        _tactic("TA0007", "Discovery"),
        _tactic("TA0008", "Lateral Movement"),
        _tactic("TA0009", "Collection"),
        _tactic("TA0011", "Command and Control"),
        _tactic("TA0010", "Exfiltration"),
        _tactic("TA0040", "Impact"),
    )
}
"""The tactics by id, in the order of the matrix."""

# Tactics, then per technique: id, name, {number of a sub-technique: its name}. Each sub-technique
# listed here serves the same tactics as its parent.
_TABLE: dict[tuple[str, ...], tuple[tuple[str, str, dict[str, str]], ...]] = {
    ("TA0043",): (
        (
            "T1595",
            "Active Scanning",
            {
                "001": "Scanning IP Blocks",
                "002": "Vulnerability Scanning",
                "003": "Wordlist Scanning",
            },
        ),
        ("T1590", "Gather Victim Network Information", {"002": "DNS"}),
    ),
    ("TA0001",): (
        ("T1190", "Exploit Public-Facing Application", {}),
        ("T1189", "Drive-by Compromise", {}),
    ),
    ("TA0001", "TA0003"): (("T1133", "External Remote Services", {}),),
    ("TA0001", "TA0003", "TA0004", "TA0005"): (("T1078", "Valid Accounts", {}),),
    ("TA0003", "TA0005", "TA0011"): (("T1205", "Traffic Signaling", {}),),
    ("TA0006",): (
        (
            "T1110",
            "Brute Force",
            {
                "001": "Password Guessing",
                "002": "Password Cracking",
                "003": "Password Spraying",
                "004": "Credential Stuffing",
            },
        ),
    ),
    ("TA0006", "TA0007"): (("T1040", "Network Sniffing", {}),),
    ("TA0006", "TA0009"): (("T1557", "Adversary-in-the-Middle", {}),),
    ("TA0007",): (
        ("T1016", "System Network Configuration Discovery", {}),
        ("T1018", "Remote System Discovery", {}),
        ("T1046", "Network Service Discovery", {}),
        ("T1049", "System Network Connections Discovery", {}),
        ("T1135", "Network Share Discovery", {}),
    ),
    ("TA0008",): (
        (
            "T1021",
            "Remote Services",
            {
                "001": "Remote Desktop Protocol",
                "002": "SMB/Windows Admin Shares",
                "003": "Distributed Component Object Model",
                "004": "SSH",
                "005": "VNC",
                "006": "Windows Remote Management",
            },
        ),
        ("T1210", "Exploitation of Remote Services", {}),
        ("T1563", "Remote Service Session Hijacking", {}),
        ("T1570", "Lateral Tool Transfer", {}),
    ),
    ("TA0009",): (
        ("T1074", "Data Staged", {"001": "Local Data Staging", "002": "Remote Data Staging"}),
    ),
    ("TA0011",): (
        ("T1001", "Data Obfuscation", {}),
        ("T1008", "Fallback Channels", {}),
        (
            "T1071",
            "Application Layer Protocol",
            {
                "001": "Web Protocols",
                "002": "File Transfer Protocols",
                "003": "Mail Protocols",
                "004": "DNS",
            },
        ),
        (
            "T1090",
            "Proxy",
            {
                "001": "Internal Proxy",
                "002": "External Proxy",
                "003": "Multi-hop Proxy",
                "004": "Domain Fronting",
            },
        ),
        ("T1095", "Non-Application Layer Protocol", {}),
        ("T1102", "Web Service", {}),
        ("T1104", "Multi-Stage Channels", {}),
        ("T1105", "Ingress Tool Transfer", {}),
        (
            "T1132",
            "Data Encoding",
            {"001": "Standard Encoding", "002": "Non-Standard Encoding"},
        ),
        ("T1219", "Remote Access Tools", {}),
        (
            "T1568",
            "Dynamic Resolution",
            {
                "001": "Fast Flux DNS",
                "002": "Domain Generation Algorithms",
                "003": "DNS Calculation",
            },
        ),
        ("T1571", "Non-Standard Port", {}),
        ("T1572", "Protocol Tunneling", {}),
        (
            "T1573",
            "Encrypted Channel",
            {"001": "Symmetric Cryptography", "002": "Asymmetric Cryptography"},
        ),
    ),
    ("TA0010",): (
        ("T1020", "Automated Exfiltration", {}),
        ("T1029", "Scheduled Transfer", {}),
        ("T1030", "Data Transfer Size Limits", {}),
        ("T1041", "Exfiltration Over C2 Channel", {}),
        (
            "T1048",
            "Exfiltration Over Alternative Protocol",
            {
                "001": "Exfiltration Over Symmetric Encrypted Non-C2 Protocol",
                "002": "Exfiltration Over Asymmetric Encrypted Non-C2 Protocol",
                "003": "Exfiltration Over Unencrypted Non-C2 Protocol",
            },
        ),
        ("T1537", "Transfer Data to Cloud Account", {}),
        (
            "T1567",
            "Exfiltration Over Web Service",
            {"002": "Exfiltration to Cloud Storage"},
        ),
    ),
    ("TA0040",): (
        ("T1496", "Resource Hijacking", {}),
        (
            "T1498",
            "Network Denial of Service",
            {"001": "Direct Network Flood", "002": "Reflection Amplification"},
        ),
        (
            "T1499",
            "Endpoint Denial of Service",
            {
                "001": "OS Exhaustion Flood",
                "002": "Service Exhaustion Flood",
                "003": "Application Exhaustion Flood",
                "004": "Application or System Exploitation",
            },
        ),
    ),
}


def _techniques() -> dict[str, Technique]:
    every: list[Technique] = []
    for tactics, rows in _TABLE.items():
        for identifier, name, subs in rows:
            every.append(Technique(identifier, name, tactics))
            every.extend(
                Technique(f"{identifier}.{number}", f"{name}: {sub}", tactics)
                for number, sub in subs.items()
            )
    return {technique.id: technique for technique in sorted(every, key=lambda each: each.id)}


TECHNIQUES: dict[str, Technique] = _techniques()
"""The techniques by id, sorted by it."""


def technique(identifier: str) -> Technique:
    """The technique of an id (``T1046``).

    Raises:
        KeyError: the table has no such technique; the message says which are close.
    """
    try:
        return TECHNIQUES[identifier]
    except KeyError:
        close = suggest(identifier)
        hint = f"; did you mean {' or '.join(close)}?" if close else ""
        raise KeyError(f"no ATT&CK {ATTACK_VERSION} technique {identifier!r}{hint}") from None


def suggest(identifier: str) -> list[str]:
    """Ids of the table that look like this one, at most three; a sub-technique's parent first."""
    wanted = identifier.upper()
    parent = wanted.partition(".")[0]
    close = difflib.get_close_matches(wanted, TECHNIQUES, n=3, cutoff=0.75)
    return list(dict.fromkeys([parent, *close]))[:3] if parent in TECHNIQUES else close
