"""Invented names: sites, content delivery hosts, and what a resolver is asked besides."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from tests.traffic.records import Array

_FIRST = """
amber birch bright cedar clear cloud copper coral delta ember falcon fern field frost garden glen
gold granite green harbor hazel iron ivory jade juniper lake lark linden lotus maple marble meadow
mill moss nova oak ocean olive opal orchid pearl pine plum prairie quartz quiet raven red reef
ridge river robin rose rowan sage sand silver sky slate snow solar spruce star stone summit sunny
swift thistle tidal timber tulip vale velvet violet west willow winter wren
""".split()  # noqa: SIM905
_SECOND = """
atlas bakery bank basket bay books bridge camera care chart clinic coast corner craft daily depot
desk docs drive farm feed finance forge forum gate goods grid group guide home hub journal kitchen
lab ledger letter library line logic market media motors music news notes office outlet parts path
photo pixel planet play point post press radio recipes rental report school shop social sports
stack station store stream studio supply systems tech tickets tools trade travel tribune video
view wave weather wiki works world
""".split()  # noqa: SIM905
_TLDS = ("com", "com", "com", "com", "net", "org", "io", "co.uk", "de", "eu", "app", "info")
_ALPHABET = np.array(list("abcdefghijklmnopqrstuvwxyz0123456789"))
_HEX = np.array(list("0123456789abcdef"))
_BASE32 = np.array(list("abcdefghijklmnopqrstuvwxyz234567"))

LOCAL_DOMAIN = "ad.larkfield.example"
"""The office's own directory domain and search suffix."""


def site_domains(rng: np.random.Generator, count: int) -> list[str]:
    """`count` different registrable names of web sites."""
    combinations = len(_FIRST) * len(_SECOND)
    picked = rng.permutation(combinations * 3)[:count]
    hyphens = ("", "-", "")
    domains = []
    for number in picked.tolist():
        style, pair = divmod(number, combinations)
        first, second = divmod(pair, len(_SECOND))
        suffix = "online" if style == 2 else ""
        domains.append(
            f"{_FIRST[first]}{hyphens[style]}{_SECOND[second]}{suffix}.{rng.choice(_TLDS)}"
        )
    return domains


def strings(
    rng: np.random.Generator, count: int, length: int, alphabet: Array = _ALPHABET
) -> list[str]:
    """`count` random texts of `length` characters of `alphabet`."""
    letters = rng.choice(alphabet, size=(count, length))
    return ["".join(row) for row in letters.tolist()]


def hexadecimal(rng: np.random.Generator, count: int, length: int) -> list[str]:
    """`count` random hexadecimal texts of `length` digits."""
    return strings(rng, count, length, _HEX)


def base32(rng: np.random.Generator, count: int, length: int) -> list[str]:
    """`count` random base-32 texts of `length` digits, as encoders of binary data write them."""
    return strings(rng, count, length, _BASE32)


def delivery_host(rng: np.random.Generator, zone: str) -> str:
    """A long host name of the kind content delivery networks hand out."""
    style = int(rng.integers(3))
    if style == 0:
        return f"d{strings(rng, 1, 13)[0]}.{zone}"
    if style == 1:
        return f"e{rng.integers(1000, 99999)}.dsc{rng.choice(list('abcdg'))}.{zone}"
    return (
        f"{hexadecimal(rng, 1, 8)[0]}-{rng.integers(10, 99)}.r{rng.integers(1, 9)}.eu-west.{zone}"
    )


def misspelt(rng: np.random.Generator, domain: str) -> str:
    """`domain` with two neighbouring letters swapped or one left out."""
    label, _, rest = domain.partition(".")
    place = int(rng.integers(0, max(len(label) - 1, 1)))
    if rng.random() < 0.5 and len(label) > 3:
        return f"{label[:place]}{label[place + 1 :]}.{rest}"
    swapped = label[place : place + 2][::-1]
    return f"{label[:place]}{swapped}{label[place + 2 :]}.{rest}"


def pseudo_words(
    rng: np.random.Generator, count: int, minimum: int = 10, maximum: int = 20
) -> list[str]:
    """`count` random letter sequences, as domain generation algorithms make them."""
    lengths = rng.integers(minimum, maximum + 1, count)
    letters = rng.choice(_ALPHABET[:26], size=(count, maximum))
    return [
        "".join(row[:length])
        for row, length in zip(letters.tolist(), lengths.tolist(), strict=True)
    ]
