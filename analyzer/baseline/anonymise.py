"""Baselines whose addresses and names are keyed hashes, usable on the same network with the key.

Addresses keep their prefixes: two that share so many bits share as many of their hashes, as each
bit is flipped or not by a function of the key and of the bits before it (Xu, Fan, Ammar and Moon,
"Prefix-preserving IP address anonymization: measurement-based security evaluation and a new
cryptography-based scheme", ICNP 2002: Crypto-PAn). Their function is AES; ours is keyed BLAKE2b
(RFC 7693), which Python has built in, and which is asked once for the eight bits of a byte. Who has
the key can turn addresses back. Domains, and the identifiers of findings, are told by equality only
and cannot be turned back. Ports, times, numbers and who gave a verdict stay as they are.
"""

from __future__ import annotations

import hashlib
import hmac
import socket
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path

import pandas as pd

from analyzer.baseline.baseline import Baseline
from analyzer.baseline.tables import LAYOUTS
from analyzer.errors import BaselineError, Location, OptionError

LEAST_KEY = 16
"""Bytes of the shortest key; a shorter one could be guessed."""

_MOST_KEY = 2**16
_ADDRESSES = ("source", "peer", "destination")
_NAMES = ("domain", "subject", "finding")
_FAMILIES = {4: socket.AF_INET, 16: socket.AF_INET6}


class Key:
    """What turns addresses and names into hashes, the same ones every time.

    Args:
        secret: the key, no shorter than :data:`LEAST_KEY`.

    Raises:
        OptionError: the key is too short.
    """

    def __init__(self, secret: bytes) -> None:
        if len(secret) < LEAST_KEY:
            raise OptionError(
                f"a key of {len(secret)} bytes: expected {LEAST_KEY} or more, such as "
                "`openssl rand -hex 32` makes"
            )
        # BLAKE2b takes keys of 64 bytes at most.
        self._secret = hashlib.blake2b(secret, person=b"zeek-analyzer").digest()
        self._flips: dict[bytes, bytes] = {}
        self._addresses: dict[str, str] = {}

    @property
    def check(self) -> str:
        """What tells whether another key is the same; nothing else follows from it."""
        return self._digest(b"check", b"", 16).hex()

    def address(self, text: str) -> str:
        """The hash of an address, an address of the same family."""
        known = self._addresses.get(text)
        if known is None:
            known = self._addresses[text] = self._turned(text, back=False)
        return known

    def address_of(self, text: str) -> str:
        """The address that has such a hash."""
        return self._turned(text, back=True)

    def name(self, text: str) -> str:
        """The hash of a name, 16 hex digits; of none, none."""
        return self._digest(b"name", text.lower().encode(*_TEXT), 8).hex() if text else ""

    def _digest(self, purpose: bytes, value: bytes, size: int) -> bytes:
        return hashlib.blake2b(value, digest_size=size, key=self._secret, person=purpose).digest()

    def _turned(self, text: str, *, back: bool) -> str:
        packed = _packed(text)
        if packed is None:
            return text if back else self.name(text)
        before, turned = b"", b""
        for byte in packed:
            # What the bits before decide must be those of the address, not of its hash.
            flips = self._flips_after(len(packed), before)
            other = _flipped(byte, flips, back=back)
            before += bytes([other if back else byte])
            turned += bytes([other])
        return socket.inet_ntop(_FAMILIES[len(turned)], turned)

    def _flips_after(self, family: int, before: bytes) -> bytes:
        """A bit for each beginning of the byte that comes after some bytes, 256 of them."""
        name = bytes([family]) + before
        flips = self._flips.get(name)
        if flips is None:
            flips = self._digest(b"address", name, 32)
            # The last half of an IPv6 address is hardly ever begun alike by two.
            if len(before) <= _NETWORK:
                self._flips[name] = flips
        return flips


_NETWORK = 8
_TEXT = ("utf-8", "backslashreplace")


def _packed(text: str) -> bytes | None:
    """The bytes of an address; None if it is none."""
    family = socket.AF_INET6 if ":" in text else socket.AF_INET
    try:
        return socket.inet_pton(family, text)
    except (OSError, ValueError):
        return None


def _flipped(byte: int, flips: bytes, *, back: bool) -> int:
    """A byte with each bit flipped or not, as its beginning says."""
    # The beginnings of a byte are the nodes of a binary tree: 1, then 2 and 3, and so on.
    node, turned = 1, 0
    for place in range(7, -1, -1):
        bit = byte >> place & 1
        other = bit ^ (flips[node >> 3] >> (node & 7) & 1)
        turned = turned << 1 | other
        node = node << 1 | (other if back else bit)
    return turned


def read_key(path: Path) -> Key:
    """The key in a file; white space around it does not count.

    Raises:
        OptionError: the file cannot be read, or is no key.
    """
    try:
        with path.open("rb") as file:
            secret = file.read(_MOST_KEY + 1)
    except OSError as error:
        raise OptionError(f"{path}: cannot be read: {error.strerror or error}") from error
    if len(secret) > _MOST_KEY:
        raise OptionError(f"{path}: is no key: larger than {_MOST_KEY >> 10} KiB")
    try:
        return Key(secret.strip())
    except OptionError as error:
        raise OptionError(f"{path}: {error}") from error


def check_key(baseline: Baseline, key: Key | None, path: Path) -> None:
    """See that a key, or none, is what a baseline needs.

    Raises:
        BaselineError: it is not; the message says what is.
    """
    where = Location(str(path))
    if key is None:
        if baseline.key_check:
            raise BaselineError("its addresses are keyed hashes: expected --key-file", where)
    elif not baseline.key_check:
        raise BaselineError("its addresses are as they are, and no hashes of any key", where)
    elif not hmac.compare_digest(baseline.key_check, key.check):
        raise BaselineError("its addresses are hashes of another key", where)


def anonymised(tables: Mapping[str, pd.DataFrame], key: Key) -> dict[str, pd.DataFrame]:
    """Tables of a summary or a baseline with keyed hashes for addresses and names.

    Who is local is decided already: the tables say so.
    """
    return _translated(tables, key.address, key.name)


def revealed(baseline: Baseline, key: Key, domains: Iterable[str]) -> Baseline:
    """A baseline with its addresses again, in memory, to compare records with.

    Args:
        baseline: one with keyed hashes.
        key: theirs.
        domains: those of the records, and any others that are known; hashes of others stay, as they
            are equal to none of these.
    """
    known = {key.name(domain): domain for domain in domains}
    tables = _translated(baseline.tables, key.address_of, lambda text: known.get(text, text))
    return replace(baseline, tables=tables, key_check="")


def _translated(
    tables: Mapping[str, pd.DataFrame],
    address: Callable[[str], str],
    name: Callable[[str], str],
) -> dict[str, pd.DataFrame]:
    translated = {}
    for table, frame in tables.items():
        turned = {
            column: _each(frame[column], turn)
            for columns, turn in ((_ADDRESSES, address), (_NAMES, name))
            for column in columns
            if column in frame
        }
        # Rows come in order of their keys, which are others now.
        translated[table] = LAYOUTS[table].joined(frame.assign(**turned)) if turned else frame
    return translated


def _each(values: pd.Series[str], turn: Callable[[str], str]) -> pd.Series[str]:
    """Values translated, each different one once."""
    different = values.unique()
    return values.map({value: turn(value) if value else value for value in different}).astype(
        values.dtype
    )
