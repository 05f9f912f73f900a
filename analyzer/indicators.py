"""Indicators of threat intelligence: addresses, networks and domains that someone has listed.

Types and meanings are those of Zeek's Intel framework (``base/frameworks/intel/main.zeek``). Of a
URL the host is an indicator, as that is what conn, dns, ssl and http logs show of it.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Literal

Kind = Literal["address", "subnet", "domain"]

USED_TYPES = ("Intel::ADDR", "Intel::SUBNET", "Intel::DOMAIN", "Intel::URL")
"""The types that connections and lookups can be compared with."""

OTHER_TYPES = (
    "Intel::SOFTWARE",
    "Intel::EMAIL",
    "Intel::USER_NAME",
    "Intel::CERT_HASH",
    "Intel::PUBKEY_HASH",
    "Intel::FILE_HASH",
    "Intel::FILE_NAME",
)
"""Zeek's other types, which are about what our logs do not hold."""


class IndicatorError(ValueError):
    """A text is no indicator of its type; the message says what was expected."""


@dataclass(frozen=True, slots=True)
class Indicator:
    """One thing that someone has listed.

    Attributes:
        kind: what it is.
        value: the address as Zeek writes it, the network in CIDR notation, or the domain in lower
            case without a trailing dot.
        sources: who lists it, each once.
        descriptions: what they say of it.
        references: where they say more.
        of_url: it is only the host of URLs that are listed, which others may share.
    """

    kind: Kind
    value: str
    sources: tuple[str, ...] = ()
    descriptions: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    of_url: bool = False


def parse_indicator(text: str, zeek_type: str) -> Indicator:
    """An indicator, without its source, from its text and one of :data:`USED_TYPES`.

    Raises:
        IndicatorError: the text is no indicator of this type, or one that would match by accident.
    """
    text = text.strip()
    match zeek_type:
        case "Intel::ADDR":
            return Indicator("address", _address(text))
        case "Intel::SUBNET":
            return _subnet(text)
        case "Intel::DOMAIN":
            return Indicator("domain", _domain(text))
        case "Intel::URL":
            return _url(text)
        case _:
            raise IndicatorError(f"type is none of {', '.join(USED_TYPES)}")


def merged(indicators: Iterable[Indicator]) -> tuple[Indicator, ...]:
    """Indicators, each value once, with all that is said of it, in a fixed order."""
    by_value: dict[tuple[str, str], Indicator] = {}
    for one in indicators:
        key = one.kind, one.value
        known = by_value.get(key)
        by_value[key] = one if known is None else _joined(known, one)
    return tuple(by_value[key] for key in sorted(by_value))


def _joined(one: Indicator, other: Indicator) -> Indicator:
    def both(name: str) -> tuple[str, ...]:
        return tuple(sorted({*getattr(one, name), *getattr(other, name)}))

    return replace(
        one,
        sources=both("sources"),
        descriptions=both("descriptions"),
        references=both("references"),
        of_url=one.of_url and other.of_url,
    )


def domain_and_parents(name: str) -> Iterator[str]:
    """A name and all domains above it that have two labels or more, the longest first."""
    while "." in name:
        yield name
        _, _, name = name.partition(".")


def canonical_address(text: str) -> str:
    """An address as Zeek writes it: lower case, shortest, IPv4 where it is mapped into IPv6.

    Raises:
        ValueError: it is none.
    """
    address = ipaddress.ip_address(text)
    if isinstance(address, ipaddress.IPv6Address):
        if address.scope_id is not None:
            raise ValueError("an address with a zone")
        address = address.ipv4_mapped or address
    return str(address)


# The largest blocks that registries give out (IANA: an IPv4 /8, an IPv6 /12 to a registry, of which
# providers get a /19 at most). Whatever is larger is a mistake that would match half the Internet.
_SHORTEST_PREFIX = {4: 8, 6: 19}

_LABEL = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_DOMAIN = re.compile(rf"(?:{_LABEL}\.)+(?=[a-z0-9-]*[a-z]){_LABEL}")
_LONGEST_DOMAIN = 253  # RFC 1035, section 2.3.4, without the root's dot
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)
_PORT = re.compile(r":[0-9]*$")


def _address(text: str) -> str:
    if "/" in text:
        raise IndicatorError("not an address; a network is Intel::SUBNET, a URL is Intel::URL")
    try:
        value = canonical_address(text)
    except ValueError:
        raise IndicatorError("not an IPv4 or IPv6 address") from None
    _refuse_no_host(ipaddress.ip_address(value))
    return value


def _refuse_no_host(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> None:
    # Lists are full of them, and sinkholes answer with them.
    if address.is_unspecified or address.is_loopback or address.is_multicast:
        raise IndicatorError("an unspecified, loopback or multicast address, not a host's")


def _subnet(text: str) -> Indicator:
    try:
        network = ipaddress.ip_network(text, strict=False)
    except ValueError:
        raise IndicatorError("not a network in CIDR notation such as 203.0.113.0/24") from None
    shortest = _SHORTEST_PREFIX[network.version]
    if network.prefixlen < shortest:
        raise IndicatorError(f"a network larger than a /{shortest} would match by accident")
    _refuse_no_host(network.network_address)
    if network.prefixlen == network.max_prefixlen:
        return Indicator("address", _address(str(network.network_address)))
    return Indicator("subnet", str(network))


def _domain(text: str) -> str:
    if "/" in text:
        raise IndicatorError("not a domain; a URL is Intel::URL")
    name = domain_name(text.removeprefix("*."))
    if name is None:
        try:
            canonical_address(text)
        except ValueError:
            raise IndicatorError("not a domain of at least two labels") from None
        raise IndicatorError("not a domain; an address is Intel::ADDR")
    return name


def domain_name(text: str) -> str | None:
    """A domain of two labels or more, in lower case, as it is asked for; None if it is none."""
    name = text.removesuffix(".")
    if not name.isascii():
        try:
            name = name.encode("idna").decode("ascii")
        except UnicodeError:
            return None
    name = name.lower()
    return name if len(name) <= _LONGEST_DOMAIN and _DOMAIN.fullmatch(name) else None


def _url(text: str) -> Indicator:
    rest = text[scheme.end() :] if (scheme := _SCHEME.match(text)) else text
    _, _, host = re.split(r"[/?#\\]", rest, maxsplit=1)[0].rpartition("@")
    if host.startswith("["):
        host = host[1:].partition("]")[0]
    elif host.count(":") == 1:
        host = _PORT.sub("", host)
    try:
        value = canonical_address(host)
    except ValueError:
        name = domain_name(host)
        if name is None:
            raise IndicatorError("not a URL with a host") from None
        return Indicator("domain", name, of_url=True)
    return Indicator("address", _address(value))
