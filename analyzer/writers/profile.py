"""What a baseline knows of a host, or of the network, for a person at a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.text import Text

from analyzer.baseline.coverage import WEEKDAYS
from analyzer.baseline.profile import UNITS
from analyzer.findings import quantity
from analyzer.writers.bars import HOURS_RULE, bar, columns, shades
from analyzer.writers.page import Page, counted

if TYPE_CHECKING:
    from analyzer.baseline.contacts import Names
    from analyzer.baseline.distribution import Distribution
    from analyzer.baseline.profile import Profile
    from analyzer.baseline.rhythm import Grid, Rhythm

# As many as there is room for.
_QUANTILES = (("5", "25", "75", "95", "99"), ("25", "75", "95", "99"), ("75", "95"))
_MEASURES = {
    "bytes_out": "bytes sent",
    "bytes_in": "bytes received",
    "duration": "duration",
    "packets_out": "packets sent",
    "connections": "connections",
    "failed": "without an answer",
    "destinations": "hosts met",
    "outside": "of them outside",
    "queries": "DNS queries",
    "hosts": "hosts active",
}
_BAR = 40
# Fewer than findings: a list here is one of many.
_SHOWN = 10


def render_profile(page: Page, profile: Profile) -> None:
    """Print a profile, all of it but the ends of long lists."""
    _distributions(page, profile)
    _rhythm(page, profile.rhythm)
    _ports(page, profile)
    _names(page, profile.names)
    _peers(page, profile)
    _services(page, profile)
    page.heading("Reference sample for models")
    alike = f"{profile.reference_stands_for:,.0f} like them"
    page.line(f"{counted(profile.reference, 'connection')}, standing for {alike}", indent=2)


def _distributions(page: Page, profile: Profile) -> None:
    page.heading("One connection")
    _measures(
        page,
        {
            _MEASURES[name]: (found, UNITS.get(name, ""))
            for name, found in profile.per_connection.items()
        },
    )
    for name, share in profile.unknown.items():
        if share:
            page.line(f"Not logged for {_percent(share)}: {_MEASURES[name]}.", indent=2)
    page.heading("One hour, of hours with any record")
    rows = {
        _MEASURES[name]: (found, UNITS.get(name, "")) for name, found in profile.per_hour.items()
    }
    if profile.per_minute is not None:
        rows["a minute"] = (profile.per_minute, "")
    if profile.busiest_minute is not None:
        rows["busiest minute"] = (profile.busiest_minute, "")
    _measures(page, rows)


def _measures(page: Page, found: dict[str, tuple[Distribution, str]]) -> None:
    if not found:
        page.line("Nothing is known.", indent=2)
        return
    for quantiles in _QUANTILES:
        rows = _measure_rows(found, quantiles)
        if page.fits(rows, indent=2):
            break
    page.table(rows, right=range(1, len(rows[0])))


def _measure_rows(
    found: dict[str, tuple[Distribution, str]], quantiles: Sequence[str]
) -> list[list[Text]]:
    head = ("", "centre", "spread", *(f"{share}%" for share in quantiles))
    rows = [[Text(cell) for cell in head]]
    for name, (distribution, unit) in found.items():
        values = (distribution.centre, *(distribution.quantiles[share] for share in quantiles))
        centre, *others = (amount(value, unit) for value in values)
        spread = f"x {quantity(distribution.spread)}"
        rows.append([Text(cell) for cell in (name, centre, spread, *others)])
    return rows


def _rhythm(page: Page, rhythm: Rhythm) -> None:
    greatest = max((share for share in rhythm.hours if share is not None), default=0.0)
    page.heading(f"Connections by hour of the day (UTC); the highest is {_percent(greatest)}")
    for line in columns(rhythm.hours, [f"{hour:02}" for hour in range(24)]):
        page.line(line, indent=2)
    page.heading("Connections by day of the week")
    most = max((share for share in rhythm.weekdays if share is not None), default=0.0)
    page.table(
        [
            [Text(day), Text("never covered"), Text()]
            if share is None
            else [Text(day), Text(_percent(share)), Text(bar(share, most, _BAR))]
            for day, share in zip(WEEKDAYS, rhythm.weekdays, strict=True)
        ],
        right=(1,),
    )
    both = _added(rhythm.bytes_out, rhythm.bytes_in)
    tops = [_greatest(grid) for grid in (rhythm.connections, both)]
    page.heading("An hour by hour of the week (UTC), medians; more is darker, ? never covered")
    names = (
        f"connections, at most {quantity(tops[0])}",
        f"bytes, at most {quantity(tops[1], 'B')}",
    )
    rows = [[Text(), *(Text(name) for name in names)]]
    rows.append([Text(), *(Text(f" {HOURS_RULE}") for _ in names)])
    for day, *grids in zip(WEEKDAYS, rhythm.connections, both, strict=True):
        cells = [f"|{shades(row, top)}|" for row, top in zip(grids, tops, strict=True)]
        rows.append([Text(day), *map(Text, cells)])
    page.table(rows)


def _added(one: Grid, other: Grid) -> Grid:
    return tuple(
        tuple(None if a is None or b is None else a + b for a, b in zip(*rows, strict=True))
        for rows in zip(one, other, strict=True)
    )


def _greatest(grid: Grid) -> float:
    return max((value for row in grid for value in row if value is not None), default=0.0)


def _ports(page: Page, profile: Profile) -> None:
    page.heading("Protocols")
    for name, shares in (("transport", profile.protocols), ("spoken", profile.applications)):
        told = ", ".join(f"{share.name or 'unknown'} {_percent(share.share)}" for share in shares)
        if told:
            page.line(f"{name}: {told}", indent=2)
    page.heading("Ports")
    head = ("Port", "spoken", "share", "connections", "outside", "sent", "days")
    rows = [[Text(cell) for cell in head]]
    for port in profile.ports[: _shown(page)]:
        number = f"{port.port}/{port.proto}" if port.port else port.proto
        cells = (
            number,
            port.application,
            _percent(port.share),
            f"{port.connections:,.0f}",
            _percent(port.outside),
            quantity(port.bytes_out, "B"),
            str(port.days),
        )
        rows.append([page.text(cell) for cell in cells])
    _list(page, rows, len(profile.ports), "port", right=range(2, len(head)))


def _names(page: Page, names: Names) -> None:
    page.heading("DNS, of a day")
    measures = {
        "names": names.unique,
        "domains": names.domains,
        "do not exist": names.refused,
        "length, mean": names.length,
        "length, longest": names.longest,
    }
    _measures(page, {name: (found, "") for name, found in measures.items() if found is not None})
    if names.top:
        page.heading("Domains asked for most")
        rows = [[Text(cell) for cell in ("Domain", "queries")]]
        for domain in names.top[: _shown(page)]:
            cells = (domain.name, f"{domain.queries:,.0f}")
            rows.append([page.text(cell) for cell in cells])
        _list(page, rows, len(names.top), "domain", right=(1,))


def _peers(page: Page, profile: Profile) -> None:
    outside = [peer for peer in profile.peers if peer.outside]
    inside = [peer for peer in profile.peers if not peer.outside]
    for name, peers in (("Outside", outside), ("Local", inside)):
        page.heading(f"{name} hosts met: {len(peers):,}, those first seen last first")
        rows = [[Text(cell) for cell in ("Host", "first", "last")]]
        rows += [
            [page.text(cell) for cell in (peer.address, peer.first, peer.last)]
            for peer in peers[: _shown(page)]
        ]
        _list(page, rows, len(peers), "host")


def _services(page: Page, profile: Profile) -> None:
    if not profile.services:
        return
    page.heading("Services offered")
    rows = [[Text(cell) for cell in ("Host", "port", "clients a day", "first", "last")]]
    for one in profile.services[: _shown(page)]:
        port = f"{one.port}/{one.proto}" if one.port else one.proto
        cells = (one.host, port, f"{one.clients:,}", one.first, one.last)
        rows.append([page.text(cell) for cell in cells])
    _list(page, rows, len(profile.services), "service", right=(2,))


def _shown(page: Page) -> int | None:
    return None if page.verbose else _SHOWN


def _list(
    page: Page, rows: Sequence[Sequence[Text]], total: int, noun: str, right: Sequence[int] = ()
) -> None:
    """Print rows under their header, and how many of all there are no rows of."""
    if len(rows) == 1:
        page.line("none", indent=2)
        return
    page.table(rows, right=right)
    if total >= len(rows):
        more = counted(total - len(rows) + 1, f"more {noun}")
        page.line(f"Not shown: {more}; -v shows all.", indent=2)


def _percent(share: float) -> str:
    # What is not nothing must not look it.
    text = f"{share:.1%}"
    return "<0.1%" if text == "0.0%" and share > 0 else text


def amount(value: float, unit: str) -> str:
    """A value with its unit; less than a second in milliseconds."""
    if unit == "s" and 0 < value < 1:
        return quantity(value * 1000, "ms")
    return quantity(value, unit)
