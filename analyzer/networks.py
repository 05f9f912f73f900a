"""Which addresses are ours, and which stand for no single host."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from analyzer.errors import OptionError

if TYPE_CHECKING:
    import ibis.expr.types as ir
    import pandas as pd

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

PRIVATE = tuple(
    ipaddress.ip_network(text)
    for text in (
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "::1/128",
        "fc00::/7",
        "fe80::/10",
    )
)
"""Where hosts stand that nobody outside can reach (RFC 1918, 6598, 3927, 4193, 4291)."""

_SPECIAL_V4 = (
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.0.0.0/24",
    "192.0.2.0/24",
    "192.168.0.0/16",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "224.0.0.0/24",
    "239.0.0.0/8",
    "240.0.0.0/4",
    "255.255.255.255/32",
)
_SPECIAL_V6 = (
    "::/128",
    "::1/128",
    "64:ff9b:1::/48",
    "100::/64",
    "2001::/23",
    "2001:2::/48",
    "2001:db8::/32",
    "fc00::/7",
    "fe80::/10",
    "fec0::/10",
)


def _over_6to4(text: str) -> ipaddress.IPv6Network:
    """The IPv6 addresses of hosts of an IPv4 network behind a 6to4 router (RFC 3056)."""
    network = ipaddress.IPv4Network(text)
    number = 0x2002 << 112 | int(network.network_address) << 80
    return ipaddress.IPv6Network((number, 16 + network.prefixlen))


NOT_ROUTED = (
    *map(ipaddress.ip_network, _SPECIAL_V4 + _SPECIAL_V6),
    *map(_over_6to4, _SPECIAL_V4),
)
"""What Zeek takes for local by default, ``Site::private_address_space``: what IANA's registries of
special-purpose addresses (RFC 6890) say is not routed, that over 6to4, and multicast of a site."""

_MULTICAST_V4 = tuple(f"{octet}." for octet in range(224, 240))


def parse_networks(text: Iterable[str]) -> tuple[Network, ...]:
    """Networks from CIDR notation; a bare address is a network of one.

    Raises:
        OptionError: one of them is neither.
    """
    networks = []
    for item in text:
        try:
            networks.append(ipaddress.ip_network(item.strip(), strict=False))
        except ValueError as error:
            raise OptionError(
                f"{item!r} is no network: expected CIDR such as 10.0.0.0/8"
            ) from error
    return tuple(networks)


class LocalNetworks:
    """Tells local addresses from outside ones.

    Networks given by the user decide; else what Zeek said of each address (``local_orig``,
    ``local_resp``), if it knew its local networks; else private space is local.

    Args:
        networks: the local networks, if the user gave any.
        flagged: whether Zeek marked any address of the data as local. Where it marked none it did
            not know, and its F means nothing.
    """

    def __init__(self, networks: Sequence[Network] = (), *, flagged: bool = False) -> None:
        self.networks = tuple(networks)
        self.flagged = flagged
        self._known: dict[str, bool] = {}
        # Network and mask as numbers, by the bytes of an address.
        self._masks: dict[int, list[tuple[int, int]]] = {4: [], 16: []}
        for net in self.networks or PRIVATE:
            pair = int(net.network_address), int(net.netmask)
            self._masks[net.max_prefixlen // 8].append(pair)

    def are_local(
        self, addresses: pd.Series[str], flags: pd.Series[bool] | None = None
    ) -> npt.NDArray[np.bool_]:
        """For each address whether it is local; `flags` is what Zeek said, null if nothing."""
        by_network = addresses.map(self.is_local).to_numpy(dtype=bool)
        if self.networks or not self.flagged or flags is None:
            return by_network
        known = flags.notna().to_numpy()
        said = flags.fillna(False).to_numpy(dtype=bool)
        result: npt.NDArray[np.bool_] = np.where(known, said, by_network)
        return result

    def is_local(self, address: str) -> bool:
        """Whether an address is in the given networks, in private space if none were given."""
        known = self._known.get(address)
        if known is None:
            known = self._known[address] = self._lookup(address)
        return known

    def _lookup(self, address: str) -> bool:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        try:
            packed = socket.inet_pton(family, address)
        except (OSError, ValueError):
            return False
        number = int.from_bytes(packed)
        return any(number & mask == network for network, mask in self._masks[len(packed)])


def is_group(address: ir.StringColumn) -> ir.BooleanColumn:
    """Whether an address stands for many hosts: multicast (RFC 5771, RFC 4291) or broadcast.

    The directed broadcast address of a network depends on its size, which logs do not say; one
    that ends in .255 is nearly always one.
    """
    return (
        address.substr(0, 4).isin(_MULTICAST_V4)
        | address.lower().startswith("ff")
        | address.endswith(".255")
        | (address == "0.0.0.0")  # noqa: S104 - compared, not bound
    )
