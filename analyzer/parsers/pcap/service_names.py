"""The names of services, and those of one connection as one number."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from analyzer.parsers.pcap.batches import Counts, Halves

SERVICES = (
    "http", "ssl", "ntp", "dns", "ayiya", "dce_rpc", "dhcp", "dnp3_tcp", "dnp3_udp", "dtls", "ftp",
    "ftp-data", "geneve", "gssapi", "gtpv1", "imap", "irc", "irc-dcc-data", "krb", "krb_tcp",
    "ldap_tcp", "ldap_udp", "modbus", "mqtt", "mysql", "ntlm", "pop3", "postgresql", "quic",
    "radius", "rdp", "rdpeudp", "redis", "rfb", "sip", "smb", "smtp", "snmp", "socks", "ssh",
    "syslog", "teredo", "vxlan", "websocket", "xmpp",
)  # fmt: skip
"""Names as conn.log has them. A service's number is one more than its place here; the numbers of
the first three stand in :mod:`openings`, too."""

MOST_SERVICES = 8
"""Services of one connection: one byte each of 64 bits, the first in the lowest. No connection can
be more than six at a time; what is beyond is left out."""

NUMBERS = {name: number for number, name in enumerate(SERVICES, 1)}

_BITS, _MASK = 8, 0xFF


def packed(services: Sequence[str]) -> int:
    """Services, in order, as one number."""
    number = 0
    for name in reversed(services[:MOST_SERVICES]):
        number = number << _BITS | NUMBERS[name]
    return number


def unpacked(number: int) -> list[str]:
    """The services that a number stands for, in order."""
    found: list[str] = []
    while number:
        found.append(SERVICES[(number & _MASK) - 1])
        number >>= _BITS
    return found


def add_first(number: int, service: int) -> int:
    """A number with one more service before all others."""
    return (number << _BITS | service) & (1 << _BITS * MOST_SERVICES) - 1


def add_last(numbers: Halves, chosen: Counts, service: str) -> None:
    """Add a service to numbers that do not have it yet, behind all others.

    Args:
        numbers: changed.
        chosen: which of them, each once.
        service: its name.

    Raises:
        KeyError: there is no such service.
    """
    added = np.uint64(NUMBERS[service])
    current = numbers[chosen]
    shift = np.zeros(chosen.size, np.uint64)
    is_open = np.ones(chosen.size, np.bool_)
    for place in range(MOST_SERVICES):
        byte = current >> np.uint64(_BITS * place) & np.uint64(_MASK)
        is_open &= byte != added
        shift[byte != 0] = _BITS * (place + 1)
    is_open &= shift < _BITS * MOST_SERVICES
    numbers[chosen[is_open]] |= added << shift[is_open]


def remove(numbers: Halves, chosen: Counts, service: str) -> None:
    """Take a service away from numbers that have it.

    Args:
        numbers: changed.
        chosen: which of them.
        service: its name.
    """
    for place in chosen.tolist():
        left = [name for name in unpacked(int(numbers[place])) if name != service]
        numbers[place] = packed(left)


def texts(numbers: Halves) -> npt.NDArray[np.object_]:
    """Services as in conn.log: names with commas between them, None where there are none."""
    different, inverse = np.unique(numbers, return_inverse=True)
    names = np.empty(different.size, np.object_)
    names[:] = [",".join(unpacked(int(number))) or None for number in different]
    return names[inverse]
