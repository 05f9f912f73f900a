"""Allowlists: what a site has looked at and does not want to hear of again.

One entry a line; ``#`` begins a comment. An entry is one or more tokens, all of which must hold::

    10.0.0.9 rule:*_scan                    # our vulnerability scanner, whatever it scans
    source:10.0.0.0/24 destination:198.51.100.7:443
    [2001:db8::7]:8443
    *.backup.example.com rule:byte_burst    # this domain and all below it
    monitor.example.com                     # this name alone

A network or address is an end of the finding, either one unless ``source:`` or ``destination:``
says which. With a port it is the destination, tried on that port. A domain is about the other side:
the finding's subject, the server names in its connections, and the names under which its
destination was looked up. Hosts write server names themselves, so each kind of name that a finding
has must agree: its subject, every server name, and one of the names looked up.
"""

from __future__ import annotations

import fnmatch
import ipaddress
import os
import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from analyzer.errors import AllowlistError, Location
from analyzer.indicators import domain_name
from analyzer.yaml_lines import did_you_mean

if TYPE_CHECKING:
    from analyzer.findings import Finding
    from analyzer.networks import Network

End = Literal["source", "destination"]
_ENDS: tuple[End, End] = ("source", "destination")


@dataclass(frozen=True, slots=True)
class NetworkToken:
    """An end of the finding lies in a network; of a given port, if there is one."""

    network: Network
    ends: tuple[End, ...] = _ENDS
    port: int | None = None

    def holds(self, finding: Finding) -> bool:
        """Whether it is true of a finding."""
        if self.port is not None and finding.port != self.port:
            return False
        return any(_within(getattr(finding, end), self.network) for end in self.ends)

    def __str__(self) -> str:
        single = self.network.prefixlen == self.network.max_prefixlen
        text = str(self.network.network_address) if single else str(self.network)
        if self.port is not None:
            text = f"[{text}]:{self.port}" if self.network.version == _V6 else f"{text}:{self.port}"
            return f"destination:{text}"
        return text if self.ends == _ENDS else f"{self.ends[0]}:{text}"


@dataclass(frozen=True, slots=True)
class DomainToken:
    """The names of the other side are this one, or below it."""

    domain: str
    below: bool = False

    def holds(self, finding: Finding) -> bool:
        """Whether it is true of a finding."""
        subject = domain_name(finding.subject)
        if not (subject or finding.server_names or finding.looked_up_as):
            return False
        return (
            (subject is None or self._covers(subject))
            and all(map(self._covers, finding.server_names))
            and (not finding.looked_up_as or any(map(self._covers, finding.looked_up_as)))
        )

    def _covers(self, name: str) -> bool:
        name = name.lower().removesuffix(".")
        return name == self.domain or (self.below and name.endswith("." + self.domain))

    def __str__(self) -> str:
        return f"*.{self.domain}" if self.below else self.domain


@dataclass(frozen=True, slots=True)
class RuleToken:
    """The finding is of a rule whose id matches a pattern."""

    pattern: str

    def holds(self, finding: Finding) -> bool:
        """Whether it is true of a finding."""
        return fnmatch.fnmatchcase(finding.rule, self.pattern)

    def __str__(self) -> str:
        return f"rule:{self.pattern}"


Token = NetworkToken | DomainToken | RuleToken


@dataclass(frozen=True, slots=True)
class Entry:
    """One line: findings for which all its tokens hold are allowed."""

    tokens: tuple[Token, ...]
    location: Location

    def allows(self, finding: Finding) -> bool:
        """Whether all tokens hold."""
        return all(token.holds(finding) for token in self.tokens)

    def __str__(self) -> str:
        return " ".join(map(str, self.tokens))


@dataclass(frozen=True, slots=True)
class Allowlist:
    """Entries, in the order in which they are asked."""

    entries: tuple[Entry, ...] = ()

    def entry_for(self, finding: Finding) -> Entry | None:
        """The first entry that allows a finding, if one does."""
        return next((entry for entry in self.entries if entry.allows(finding)), None)

    def check_rules(self, identifiers: Collection[str]) -> None:
        """See that every ``rule:`` matches one of these ids; a misspelt one would never hold.

        Raises:
            AllowlistError: one does not.
        """
        complaints = [
            AllowlistError(
                f"{token} matches no rule{did_you_mean(token.pattern, identifiers)}", entry.location
            )
            for entry in self.entries
            for token in entry.tokens
            if isinstance(token, RuleToken) and not fnmatch.filter(identifiers, token.pattern)
        ]
        if complaints:
            raise _joined(complaints)


def read_allowlists(paths: Iterable[str | os.PathLike[str]]) -> Allowlist:
    """The entries of files, in their order.

    Raises:
        AllowlistError: a file cannot be read or holds no entry, or an entry makes no sense; all
            complaints are in its text, one a line, each with its place.
    """
    entries: list[Entry] = []
    complaints: list[AllowlistError] = []
    for path in paths:
        name = os.fspath(path)
        try:
            data = Path(name).read_bytes()
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise AllowlistError(reason, Location(name)) from error
        try:
            found = parse_allowlist(data, name)
        except AllowlistError as error:
            complaints.append(error)
            continue
        entries.extend(found.entries)
    if complaints:
        raise _joined(complaints)
    return Allowlist(tuple(entries))


def parse_allowlist(data: bytes | str, name: str = "allowlist") -> Allowlist:
    """The entries of a text; `name` is the file that complaints and entries name.

    Raises:
        AllowlistError: as :func:`read_allowlists` does.
    """
    text = data if isinstance(data, str) else data.decode("utf-8-sig", "backslashreplace")
    entries = []
    complaints = []
    for number, line in enumerate(text.split("\n"), 1):
        location = Location(name, number)
        tokens = []
        for word in _COMMENT.sub("", line).split():
            try:
                tokens.append(_token(word))
            except _TokenError as error:
                complaints.append(AllowlistError(str(error), location))
        if tokens:
            entries.append(Entry(tuple(tokens), location))
    if complaints:
        raise _joined(complaints)
    return Allowlist(tuple(entries))


_COMMENT = re.compile(r"(?:^|(?<=\s))#.*", re.DOTALL)
_V6 = 6
_WITH_PORT = re.compile(r"(?:\[(?P<v6>[^\]]*)\]|(?P<v4>[^:\[\]]*)):(?P<port>[^:]*)")
_DIGITS = re.compile(r"[0-9]{1,5}")
_PORTS = range(65_536)
_LOOKS_LIKE_ADDRESS = re.compile(r"[0-9.:/\[\]]+|.*:.*:.*")
_PATTERN = re.compile(r"[a-z0-9_*?]+")
_PREFIXES = ("rule", "source", "destination")


class _TokenError(ValueError):
    """A word is no token; the message says what was expected."""


def _token(word: str) -> Token:
    prefix, colon, rest = word.partition(":")
    if colon and prefix == "rule":
        if not _PATTERN.fullmatch(rest):
            raise _TokenError(f"{word!r}: expected a rule's id or a pattern such as rule:beacon*")
        return RuleToken(rest)
    if colon and prefix == "source":
        return _pinned(rest, "source", word)
    if colon and prefix == "destination":
        return _pinned(rest, "destination", word)
    return _pinned(word, None, word)


def _pinned(text: str, end: End | None, word: str) -> Token:
    ends = _ENDS if end is None else (end,)
    network = _network(text)
    if network is not None:
        return NetworkToken(network, ends)
    if (pair := _WITH_PORT.fullmatch(text)) and (
        network := _network(pair["v6"] or pair["v4"] or "")
    ):
        port = pair["port"]
        if not (_DIGITS.fullmatch(port) and int(port) in _PORTS):
            raise _TokenError(f"{word!r}: expected a port from 0 to 65535 after the colon")
        if end == "source":
            raise _TokenError(f"{word!r}: a port is the destination's; did you mean destination:?")
        return NetworkToken(network, ("destination",), int(port))
    below = text.startswith("*.")
    name = domain_name(text.removeprefix("*."))
    if name is not None:
        if end == "source":
            raise _TokenError(f"{word!r}: a domain is about the destination, a source has none")
        return DomainToken(name, below)
    raise _TokenError(f"{word!r}: {_expected(text)}")


def _network(text: str) -> Network | None:
    try:
        network = ipaddress.ip_network(text, strict=False)
    except ValueError:
        return None
    return None if "%" in text else network


def _expected(text: str) -> str:
    prefix = text.partition(":")[0]
    if _LOOKS_LIKE_ADDRESS.fullmatch(text):
        return "expected an address, a network such as 10.0.0.0/8, address:port or [IPv6]:port"
    if ":" in text and (hint := did_you_mean(prefix, _PREFIXES)):
        return f"unknown prefix {prefix!r}{hint}"
    if "://" in text or "/" in text:
        return "expected a domain without a path; findings know names, not URLs"
    if "*" in text and "." in text:
        return "expected * in front only, such as *.example.com"
    if _PATTERN.fullmatch(text):
        return f"expected an address, a network or a domain; did you mean 'rule:{text}'?"
    return "expected an address, a network, a domain, or rule:, source: or destination:"


def _within(address: str | None, network: Network) -> bool:
    if address is None:
        return False
    try:
        number = ipaddress.ip_address(address)
    except ValueError:
        return False
    return number in network


def _joined(errors: list[AllowlistError]) -> AllowlistError:
    """Several errors as one: placed at the first, with the text of each on its own line."""
    first, *others = errors
    return AllowlistError("\n".join([first.message, *map(str, others)]), first.location)
