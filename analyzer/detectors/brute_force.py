"""Guessed passwords: many logins alike that get no further, from one host, at many, or from many.

Zeek's scripts count failed logins that the protocol tells (SSH: 30 in 30 minutes, policy/protocols/
ssh/detect-bruteforcing; FTP: 20 in 15 minutes); Slips takes 9 for SSH. Here connections are counted
that are of the size of a failed login (:mod:`~analyzer.detectors.login_attempts`) and alike among
themselves, so that it works for every service, encrypted or not. What a program does all day at
leisure, by the clock, or as the other hosts of the site do, is no guessing. A different, larger
session that follows is the worst news: a guess was right.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import pandas as pd

from analyzer.derived import LOGIN_SERVICES
from analyzer.detectors.detection import Detection, Detector, Shared, score_on, shared_contacts
from analyzer.detectors.login_attempts import (
    FAILURES,
    WIDTH_IN,
    WIDTH_OUT,
    attempts,
    logins,
    patience,
)
from analyzer.detectors.login_guesses import Guesses, Site, routine, sites_of, together
from analyzer.detectors.login_series import alike
from analyzer.detectors.login_sessions import Session, sessions_after
from analyzer.features import with_bucket_before
from analyzer.findings import Evidence, Severity, duration
from analyzer.parameters import Seconds

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from analyzer.records import Records

# Guesses over the threshold -> score. A third of Zeek's 30 is Slips' 9.
_CURVE = ((0.0, 0.0), (0.3, 0.7), (1.0, 0.8), (3.0, 0.9), (10.0, 0.95), (1e4, 0.99))
_LEAST = 0.3
# What goes on for hours adds up, though no window holds much: ten windows' worth is one's.
_RUN = 10.0
# Of what is tried in a window, so many must be alike; people's sessions are not.
_ALIKE = 0.5
# Targets tried less often than a tenth of the most tried one are passed by, not guessed at.
_PASSING = 0.1
# One login at each of many hosts is a round of administration; guessing returns.
_REPEATS = 2.0
# What looks honest is kept; from outside it is worth a look nevertheless.
_HONEST, _HONEST_OUTSIDE = 0.5, 0.75
_SUCCESS = 0.1
_SURE = 0.99


@dataclass(frozen=True, slots=True)
class Parameters:
    """Who guesses, how often, how fast."""

    by: Literal["pair", "source", "target"] = field(
        default="pair",
        metadata={
            "meaning": "whether one host guesses at one, one at several, or several at one of ours"
        },
    )
    window: Seconds = field(default=1800.0, metadata={"meaning": "time in which guesses count"})
    guesses: int = field(
        default=30, metadata={"meaning": "guesses in it from which it is reported at medium"}
    )
    targets: int = field(
        default=3, metadata={"meaning": "targets from which one source's guesses are a spray"}
    )
    sources: int = field(
        default=10, metadata={"meaning": "outside sources from which guesses are distributed"}
    )


def find(records: Records, parameters: Parameters, shared: Shared) -> Iterator[Detection]:
    """Logins alike that get no further, more than the threshold and no routine."""
    asked = shared.get(
        (__name__, "logins"),
        lambda: records.keep(logins(shared_contacts(records, shared)), "logins"),
    )
    tried = shared.get(
        (__name__, "attempts"),
        lambda: records.keep(attempts(records.conn, asked), "login_attempts"),
    )
    rows = _crowded(tried, records, parameters)
    if rows.empty:
        return
    if parameters.by == "target":
        guesses = list(_at_targets(rows, asked, parameters))
    else:
        guesses = list(_by_sources(rows, parameters))
    scored = [(each, _score(each, parameters)) for each in guesses]
    loud = [(each, score) for each, score in scored if score >= Severity.LOW.bound]
    if not loud:
        return
    followed = sessions_after(records, [each.run for each, _ in loud])
    sites = sites_of(asked, [each for each, _ in loud])
    span = (records.last or 0.0) - (records.first or 0.0)
    for (each, score), session, site in zip(loud, followed, sites, strict=True):
        context = _Context(session, site, routine(each, site, span))
        yield _detection(each, score, context, parameters)


def _crowded(tried: ir.Table, records: Records, parameters: Parameters) -> pd.DataFrame:
    """The attempts of every source, or at every target, with a window worth a line."""
    keys = ("resp_h", "resp_p", "spoken") if parameters.by == "target" else ("orig_h", "spoken")
    bucket = (tried.ts / parameters.window).floor().cast("int64")
    counted = tried.group_by(*keys, bucket=bucket).aggregate(attempts=tried.count())
    both = with_bucket_before(counted, keys, ("attempts",))
    least = _LEAST * parameters.guesses * patience(both.spoken)
    crowd = both.filter(both.attempts >= least).select(*keys).distinct()
    kept = records.keep(crowd, f"guessing_{parameters.by}")
    order = ("orig_h", "resp_h", "resp_p", "spoken", "ts", "resp_bytes", "orig_bytes")
    rows: pd.DataFrame = tried.semi_join(kept, list(keys)).order_by(*order).to_pandas()
    return rows


def _by_sources(rows: pd.DataFrame, parameters: Parameters) -> Iterator[Guesses]:
    """What each source guesses: at several targets together, or at each of one or two."""
    for _, tried in rows.groupby(["orig_h", "spoken"], sort=True):
        spray = _spray(tried, parameters)
        if parameters.by == "source":
            if spray is not None:
                yield spray
        elif spray is None:
            for _, at_one in tried.groupby(["resp_h", "resp_p"], sort=True):
                received = (at_one.resp_bytes.to_numpy(float), WIDTH_IN)
                sent = (at_one.orig_bytes.to_numpy(float), WIDTH_OUT)
                yield together(at_one, alike(received, sent), parameters.window)


def _spray(tried: pd.DataFrame, parameters: Parameters) -> Guesses | None:
    """A source's guesses if they go to several targets; servers answer differently, it does not."""
    if tried.resp_h.nunique() < parameters.targets:
        return None
    same = alike((tried.orig_bytes.to_numpy(float), WIDTH_OUT))
    guesses = together(tried, same, parameters.window)
    counts = guesses.window.resp_h.value_counts()
    counts = counts[counts >= max(_REPEATS, _PASSING * counts.max())]
    if len(counts) < parameters.targets or counts.sum() < _LEAST * parameters.guesses:
        return None
    return guesses


def _at_targets(rows: pd.DataFrame, asked: ir.Table, parameters: Parameters) -> Iterator[Guesses]:
    """What many outside sources guess at each local target, each of them too little by itself."""
    local = asked.filter(asked.is_local & ~asked.source_is_local)
    totals = local.group_by("resp_h", "resp_p", "spoken").aggregate(
        answers=local.answers.sum().cast("int64")
    )
    outside = local.select("orig_h", "resp_h", "resp_p").distinct().to_pandas()
    answers = totals.to_pandas().set_index(["resp_h", "resp_p", "spoken"]).answers
    rows = rows.merge(outside, on=["orig_h", "resp_h", "resp_p"])
    for key, tried in rows.groupby(["resp_h", "resp_p", "spoken"], sort=True):
        counts = tried.orig_h.map(tried.orig_h.value_counts())
        few = tried[counts < parameters.guesses / 2].sort_values(["ts", "orig_h", "resp_bytes"])
        if FAILURES[LOGIN_SERVICES[int(tried.spoken.iloc[0])]].patience > 1 or few.empty:
            continue
        same = alike((few.resp_bytes.to_numpy(float), WIDTH_IN))
        loud = int(answers[key]) - (len(tried) - len(few))
        guesses = together(few, same, parameters.window)
        if len(guesses.sources) >= parameters.sources and same.sum() >= _ALIKE * loud:
            yield guesses


def _score(guesses: Guesses, parameters: Parameters) -> float:
    """How sure we are before anything honest is thought of."""
    series = guesses.series
    if series.busiest < _ALIKE * guesses.tried:
        return 0.0
    threshold = parameters.guesses * FAILURES[guesses.service].patience
    return max(
        score_on(series.busiest / threshold, _CURVE),
        score_on(series.count / (_RUN * threshold), _CURVE),
    )


@dataclass(frozen=True, slots=True)
class _Context:
    """What stands around guesses.

    Attributes:
        session: the larger session that followed, if one did.
        site: what the site says of them.
        routine: why they may be a program at its work; empty if nothing says so.
    """

    session: Session | None
    site: Site
    routine: str


def _detection(
    guesses: Guesses, score: float, context: _Context, parameters: Parameters
) -> Detection:
    session, site = context.session, context.site
    series, service = guesses.series, guesses.service
    source, sources, targets = guesses.sources[0], guesses.sources, guesses.targets
    one_target = len(targets) == 1
    port = guesses.window.resp_p.unique()
    if context.routine:
        score = min(score, _HONEST if site.inside else _HONEST_OUTSIDE)
    elif session is not None:
        score = min(score + _SUCCESS, _SURE)
    who = source if len(sources) == 1 else f"{source} and {len(sources) - 1} other outside hosts"
    where = f"{targets[0]}:{port[0]}" if one_target else f"{len(targets)} hosts"
    within = duration(series.times[series.end - 1] - series.times[series.begin])
    then = "" if session is None else ", then a longer session followed"
    threshold = parameters.guesses * FAILURES[service].patience
    evidence = [
        Evidence("logins alike within the window", series.busiest, threshold=threshold),
        Evidence("of all that got no further then", round(series.busiest / guesses.tried, 3)),
        Evidence("logins alike in all", series.count),
        Evidence("over", round(series.seconds, 1), unit="s"),
        Evidence("sent in each", round(float(guesses.window.orig_bytes.median())), unit="B"),
        Evidence("answered in each", round(float(guesses.window.resp_bytes.median())), unit="B"),
    ]
    if len(sources) > 1:
        evidence.append(Evidence("sources", len(sources), threshold=parameters.sources))
        evidence.append(Evidence("busiest sources", ", ".join(sources[:_SHOWN])))
    if not one_target:
        evidence.append(Evidence("targets", len(targets), threshold=parameters.targets))
        evidence.append(Evidence("first targets", ", ".join(targets[:_SHOWN])))
    if site.usual is not None:
        evidence.append(
            Evidence("connections to it in half a day", site.own, expected=round(site.usual, 1))
        )
    if session is not None:
        evidence.append(Evidence("a longer session followed", str(session)))
    if context.routine:
        evidence.append(Evidence("may be routine", context.routine))
    return Detection(
        source=source,
        destination=targets[0] if one_target else None,
        port=int(port[0]) if port.size == 1 else None,
        proto="tcp",
        first=float(series.times[series.first]),
        last=float(series.times[series.last - 1]),
        score=score,
        message=f"{who} made {series.busiest} {service} logins alike to {where} within {within} "
        f"that got no further{then}",
        evidence=tuple(evidence),
        connections=series.count,
        technique=_technique(guesses),
    )


_SHOWN = 5


def _technique(guesses: Guesses) -> str:
    """Spraying goes wide and comes back little; guessing stays (ATT&CK T1110.001, T1110.003)."""
    many = len(guesses.targets) > 1
    return (
        "T1110.003"
        if many and guesses.series.busiest < _SPRAY * len(guesses.targets)
        else "T1110.001"
    )


# Zeek's limit for one target: as many at each of several is guessing at each.
_SPRAY = 30

DETECTOR = Detector("brute_force", Parameters, find)
