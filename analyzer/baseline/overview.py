"""All that a baseline knows, as numbers with names: its state, the network, hosts, verdicts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from difflib import get_close_matches
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any

from analyzer.baseline.profile import Profile, Profiles, Talker
from analyzer.baseline.state import BaselineState, state_of
from analyzer.baseline.usual import LEVELS
from analyzer.errors import OptionError
from analyzer.zeek_format import format_iso8601

if TYPE_CHECKING:
    from analyzer.baseline.baseline import Baseline


@dataclass(frozen=True, slots=True)
class Verdict:
    """What somebody said of a finding.

    Attributes:
        said: when, as ISO 8601 in UTC.
        by: who.
        finding: its identifier.
        benign: harmless, or an attack.
        rule: rule of the finding.
        source: the host that it is about.
        destination: the other side; None if none.
        proto: transport protocol; None if none.
        port: responder's port; None if none.
        subject: what else it was about; None if nothing.
        score: its score then.
    """

    said: str | None
    by: str
    finding: str
    benign: bool
    rule: str
    source: str
    destination: str | None
    proto: str | None
    port: int | None
    subject: str | None
    score: float


@dataclass(frozen=True, slots=True)
class Overview:
    """All that a baseline knows.

    Attributes:
        state: how much, how old, how true to its word.
        roles: how many hosts have each role, the most common first.
        judged_by: how many hosts are judged by what, for most of their hours
            (:data:`analyzer.baseline.usual.LEVELS`), the narrowest first; those that fall back on
            their role, or on all hosts, have too few hours of their own.
        talkers: all hosts in short, those that sent and got most bytes first.
        network: all hosts together.
        hosts: the hosts asked for, by address.
        verdicts: what was said of findings, the latest first; where hosts were asked for,
            of theirs.
    """

    state: BaselineState
    roles: dict[str, int]
    judged_by: dict[str, int]
    talkers: tuple[Talker, ...]
    network: Profile
    hosts: dict[str, Profile]
    verdicts: tuple[Verdict, ...]

    def as_dict(self) -> dict[str, Any]:
        """The keys and values of JSON: the attributes of this and all it holds, by their names.

        Times of the state are epoch seconds, days are dates; a drift has also its ``distance`` and
        ``state``, a shift its ``state``, a rate ``realised`` and ``ratio``.
        """
        plain = asdict(self)
        drift = self.state.drift
        if drift is not None:
            plain["state"]["drift"] |= {"distance": drift.distance, "state": drift.state}
            _with_states(plain["state"]["drift"]["shifts"], drift.shifts)
        for told, rate in zip(plain["state"]["rates"], self.state.rates, strict=True):
            told |= {"realised": rate.realised, "ratio": rate.ratio}
        _with_states(plain["network"]["shifts"], self.network.shifts)
        for name, profile in self.hosts.items():
            _with_states(plain["hosts"][name]["shifts"], profile.shifts)
        return plain


def _with_states(plain: Sequence[dict[str, Any]], shifts: Sequence[Any]) -> None:
    for told, shift in zip(plain, shifts, strict=True):
        told["state"] = shift.state


def overview(baseline: Baseline, hosts: Sequence[str] | None = None) -> Overview:
    """All that a baseline knows.

    Args:
        baseline: what was learned.
        hosts: addresses of the hosts to tell all of; by default every one.

    Raises:
        OptionError: it knows nothing of one of them; the message names one that is like it.
    """
    profiles = Profiles(baseline)
    asked = profiles.hosts if hosts is None else hosts
    check_hosts(asked, profiles.hosts)
    levels = profiles.judged_by.value_counts()
    counted = profiles.roles.value_counts()
    return Overview(
        state=state_of(baseline),
        roles={str(role): int(counted[role]) for role in sorted(counted.index, key=str)},
        judged_by={
            name: int(levels[level]) for level, name in enumerate(LEVELS) if level in levels.index
        },
        talkers=profiles.talkers(),
        network=profiles.network(),
        hosts={host: profiles.host(host) for host in asked},
        verdicts=_verdicts(baseline, hosts),
    )


def check_hosts(asked: Sequence[str], known: Sequence[str]) -> None:
    """Refuse hosts that nothing is known of.

    Raises:
        OptionError: one is not known; the message names one that is like it.
    """
    for host in sorted(set(asked) - set(known)):
        like = _nearest(host, known)
        hint = f"; is {like} meant?" if like else ""
        hosts = f"{len(known):,} other host{'s' * (len(known) != 1)}" if known else "no host"
        raise OptionError(f"nothing is known of host {host}, only of {hosts}{hint}")


def _nearest(host: str, known: Sequence[str]) -> str | None:
    """The known address nearest to another: by number, or as it is written if it is none."""
    number = _number(host)
    near = {other: found for other in known if (found := _number(other))}
    alike = {
        other: abs(found[1] - number[1])
        for other, found in near.items()
        if number is not None and found[0] == number[0]
    }
    if alike:
        return min(sorted(alike), key=lambda other: alike[other])
    return next(iter(get_close_matches(host, sorted(known), n=1)), None)


def _number(host: str) -> tuple[int, int] | None:
    try:
        address = ip_address(host)
    except ValueError:
        return None
    return address.version, int(address)


def _verdicts(baseline: Baseline, hosts: Sequence[str] | None) -> tuple[Verdict, ...]:
    rows = baseline["verdicts"]
    if hosts:
        rows = rows[rows.source.isin(hosts) | rows.destination.isin(hosts)]
    columns = [rows[field].tolist() for field in _VERDICT]
    told = [
        Verdict(
            said=format_iso8601(said),
            by=by,
            finding=finding,
            benign=bool(benign),
            rule=rule,
            source=source,
            destination=destination or None,
            proto=proto or None,
            port=int(port) if port >= 0 else None,
            subject=subject or None,
            score=float(score),
        )
        for (
            said,
            by,
            finding,
            benign,
            rule,
            source,
            destination,
            proto,
            port,
            subject,
            score,
        ) in zip(*columns, strict=True)
    ]
    return tuple(sorted(told, key=lambda one: (one.said or "", one.finding), reverse=True))


_VERDICT = (
    "said",
    "by",
    "finding",
    "benign",
    "rule",
    "source",
    "destination",
    "proto",
    "port",
    "subject",
    "score",
)
