"""One local host's contact with one outside service: what several detectors ask about it.

A port says what an honest program would be doing there. Ports that programs everywhere use are
`ordinary`; a control server that needs no firewall's leave prefers others (ATT&CK T1571). Which
technique a contact is told under follows from its port too.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from analyzer.derived import FIRST_USER_PORT, UNKNOWN_TRANSPORT
from analyzer.detectors.detection import Shared, shared_contacts, shared_destinations
from analyzer.networks import LocalNetworks

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from analyzer.records import Records

KEYS = ("orig_h", "resp_h", "resp_p", "proto")
"""What makes a pair: source, destination, port, protocol."""

INFRASTRUCTURE_PORTS = (53, 123, 853)
"""DNS, NTP and DNS over TLS: asked at any pace, and of servers nobody chose; who serves them meets
as many hosts as there are."""

MAIL_PORTS = (25, 465, 587, 110, 143, 993, 995)
"""SMTP, submission, POP and IMAP, plain and over TLS."""

WEB_PORTS = (80, 443, 8000, 8008, 8080, 8088, 8443, 8888)
"""HTTP, HTTPS, and the ports where IANA and habit put their alternatives."""

# User ports where well-known honest services listen (IANA's registry; vendors' firewall guides).
_USER_PORTS = (
    *(1194, 4500, 51820),  # OpenVPN, IPsec NAT traversal, WireGuard
    *(1433, 1521, 3306, 5432, 6379, 9042, 27017),  # databases
    *(1723, 3389, 5900, 5938, 6568),  # PPTP, RDP, VNC, TeamViewer, AnyDesk
    *(1883, 8883, 5671, 5672, 9092, 9093),  # MQTT, AMQP, Kafka
    *(1935, 3478, 3479, 5349, 19302, 8801),  # RTMP, STUN and TURN, Zoom
    *(2195, 2197, 5222, 5223, 5228, 5229, 5230),  # Apple's and Google's push services, XMPP
    *(5060, 5061, 5269),  # SIP, XMPP between servers
    *(3128, 1080, 8009, 9418, 4070, 6514),  # proxies, Cast, Git, Spotify, syslog over TLS
)

HELD_OPEN = (22, 110, 143, 500, 993, *_USER_PORTS)
"""Ports whose connections honest programs keep open for hours: shells, IMAP IDLE (RFC 2177), VPNs,
push services, message queues, databases, calls."""

_ORDINARY = frozenset((*WEB_PORTS, *MAIL_PORTS, *_USER_PORTS))

_EVERYWHERE = LocalNetworks()


def met_by(destinations: Iterable[str], records: Records, shared: Shared) -> dict[str, int]:
    """How many local hosts tried each of some destinations."""
    known = shared_destinations(records, shared)
    known = known.filter(known.resp_h.isin(sorted(set(destinations))))
    return {row["resp_h"]: row["sources"] for row in known.to_pyarrow().to_pylist()}


def outward(records: Records, shared: Shared) -> ir.Table:
    """The contacts of local hosts with outside ones, but for DNS and NTP; a row per half day.

    Columns: those of :func:`analyzer.features.contacts`.
    """
    contacts = shared_contacts(records, shared)
    return contacts.filter(
        contacts.source_is_local & ~contacts.is_local & ~contacts.resp_p.isin(INFRASTRUCTURE_PORTS)
    )


def is_reachable(address: str) -> bool:
    """Whether anyone outside can have an address.

    A laptop looks for the printer and the storage of its owner's home wherever it is; private
    addresses that are not ours lead nowhere.
    """
    return not _EVERYWHERE.is_local(address)


def is_ordinary(port: int, proto: str) -> bool:
    """Whether honest programs everywhere use a port: a system port (RFC 6335) or a listed one."""
    if proto not in {"tcp", "udp"}:
        return False
    return port < FIRST_USER_PORT or port in _ORDINARY


def technique(port: int, proto: str) -> str:
    """The ATT&CK technique of control traffic to a port, if that is what it is."""
    if proto in {"icmp", UNKNOWN_TRANSPORT}:
        return "T1095"
    if not is_ordinary(port, proto):
        return "T1571"
    if port in WEB_PORTS:
        return "T1071.001"
    return "T1071.003" if port in MAIL_PORTS else "T1071"


def service(port: int, proto: str) -> str:
    """A port and its protocol as a person writes them: ``on 1177/tcp``, ``with ICMP requests``."""
    if proto == "icmp":
        return "with ICMP requests"
    return f"over IP protocol {port}" if proto == UNKNOWN_TRANSPORT else f"on {port}/{proto}"


def port_of(port: int, proto: str) -> int | None:
    """The port of a finding: none where the protocol has none."""
    return port if proto in {"tcp", "udp"} else None
