"""DNS zones whose names are made by machines for honest reasons: content networks, lookups.

The list ``known_zones.txt`` beside this file is versioned. It is about what a zone is for, not
about who can be trusted: names below these zones look random, or carry data, by design.
"""

from __future__ import annotations

import re
from functools import cache
from importlib import resources

import ibis
import ibis.expr.types as ir

KINDS = ("cdn", "reputation", "dnsbl", "telemetry")
"""Content networks and clouds; lookups of files, addresses and URLs by security products; DNS block
and allow lists (RFC 5782); probes and telemetry with ids in names."""


@cache
def known_zones(*kinds: str) -> frozenset[str]:
    """The zones of these kinds, of all of :data:`KINDS` if none is given.

    Raises:
        KeyError: there is no such kind.
    """
    unknown = set(kinds) - set(KINDS)
    if unknown:
        raise KeyError(f"no kind of zones is called {', '.join(sorted(unknown))}")
    return frozenset(zone for zone, kind in _zones().items() if kind in (kinds or KINDS))


def zones_version() -> str:
    """The version of the list, the date it was last looked through."""
    return next(
        line.removeprefix("# version:").strip()
        for line in _lines()
        if line.startswith("# version:")
    )


@cache
def _zones() -> dict[str, str]:
    lines = (line for line in _lines() if line.strip() and not line.startswith("#"))
    return dict(line.split() for line in lines)


def _lines() -> list[str]:
    return resources.files("analyzer").joinpath("known_zones.txt").read_text("utf-8").splitlines()


def below_zones(name: ir.StringColumn, zones: frozenset[str]) -> ir.BooleanColumn:
    """Whether a name (lower case, no trailing dot) is one of the zones or below one."""
    if not zones:
        return name.notnull() & ibis.literal(False)
    # One automaton reads each name once; lists of texts are compared one by one.
    listed = "|".join(re.escape(zone) for zone in sorted(zones))
    return name.re_search(rf"(?:^|\.)(?:{listed})$")
