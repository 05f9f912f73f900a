"""Domain generation algorithms: a host asks for many names that nobody would have chosen.

One odd name says little; a host's names together say much. The log-likelihood ratios of the
registered domains that a host asks for within an hour (or, for slow algorithms, names that do not
exist within a day) are added up, each cut so that no name decides alone, and compared with what
honest hosts with as many names reach once in ten thousand (see
:mod:`analyzer.models.training.dga_hosts`). Names made of word lists look honest one by one, but
their words come back sooner than chance allows. Judging hosts by names that do not exist follows
Antonakakis et al., "From Throw-Away Traffic to Bots", USENIX Security 2012.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from analyzer.detectors.detection import Detection, Detector, Shared, score_on
from analyzer.detectors.dga_names import asked_domains, fates
from analyzer.findings import Evidence, duration
from analyzer.models.dga import HIGHEST, LOWEST, DgaModel, shipped_model, word_reuse
from analyzer.parameters import Seconds, Share

if TYPE_CHECKING:
    from analyzer.models.dga_text import Floats, Integers
    from analyzer.records import Records

REFUSED, ANY = 0, 1
"""Which names are added up, see :data:`analyzer.models.dga.VIEWS`."""

# How far the sum lies from that of an ordinary host, 1 being the threshold -> score.
_CURVE = ((0.0, 0.0), (0.85, 0.7), (1.0, 0.8), (1.5, 0.9), (2.5, 0.95), (20.0, 0.99))
_LEAST = 0.85

# What a name counts for that resolved, and that was contacted: honest odd names are asked for to be
# used, while of an algorithm's names hardly any is registered.
_RESOLVED, _CONTACTED = 0.5, 0.25

# A ratio from which a single name is suspicious: e to 1.
_SUSPICIOUS = 1.0

# Names, and resolved ones, that a finding shows.
_SHOWN, _SHOWN_IN_MESSAGE = 10, 3


@dataclass(frozen=True, slots=True)
class Parameters:
    """In which time, how many names, and what speaks for them besides."""

    window: Seconds = field(default=3600.0, metadata={"meaning": "time weighed together"})
    slow_window: Seconds = field(
        default=86_400.0,
        metadata={"meaning": "time weighed together of names that do not exist"},
    )
    names: int = field(default=5, metadata={"meaning": "least distinct suspicious domains"})
    refused_share: Share = field(
        default=0.3,
        metadata={"meaning": "share of them that do not exist from which one suffix is enough"},
    )
    suffixes: int = field(
        default=2, metadata={"meaning": "least top-level domains if more of them exist"}
    )


@dataclass(frozen=True, slots=True)
class _Window:
    """A host's names of some time, and what they add up to.

    Attributes:
        view: which names are added up.
        span: how long it may be, s.
        domains: the names that are, a frame.
        total: their sum.
        expected: the sum of an ordinary host.
        threshold: the sum that one honest host in ten thousand exceeds.
        words: words that come back, those that weigh most first.
    """

    view: int
    span: float
    domains: pd.DataFrame
    total: float
    expected: float
    threshold: float
    words: list[str]

    @property
    def excess(self) -> float:
        """How far the sum lies from the expected one, 1 being the threshold."""
        return (self.total - self.expected) / (self.threshold - self.expected)


def find(records: Records, parameters: Parameters, shared: Shared) -> Iterator[Detection]:
    """Hosts whose names add up to more than honest ones do."""
    if not records.counts["dns"]:
        return
    domains = asked_domains(records, shared, parameters.names)
    if domains.empty:
        return
    model = shipped_model()
    labels, number = np.unique(domains.label.to_numpy(str), return_inverse=True)
    ratios = np.clip(model.log_likelihood_ratio(labels.tolist()), LOWEST, HIGHEST)
    domains = domains.assign(ratio=ratios[number], weight=1.0, address="", contacted=False)
    odd = domains.refused | (domains.ratio >= _SUSPICIOUS)
    domains = domains[odd.groupby(domains.orig_h).transform("sum") >= parameters.names]
    suspects = [
        group
        for _, group in domains.groupby("orig_h", sort=True)
        if _best(group, model, parameters) is not None
    ]
    if not suspects:
        return
    known = fates(pd.concat(suspects).drop(columns=["address", "contacted"]), records, shared)
    exists = known.address != ""
    # Below longer suffixes, where providers name their customers' machines, whatever exists.
    provided = known.domain.str.count("[.]") > 1
    used = np.where(
        known.contacted | (exists & provided), _CONTACTED, np.where(exists, _RESOLVED, 1.0)
    )
    known = known.assign(weight=np.where(known.refused, 1.0, used))
    for source, group in known.groupby("orig_h", sort=True):
        best = _best(group, model, parameters)
        if best is not None:
            yield _detection(str(source), best, group, parameters)


def _best(domains: pd.DataFrame, model: DgaModel, parameters: Parameters) -> _Window | None:
    """A host's most suspicious window, None if none is worth a line."""
    domains = domains.sort_values(["first", "domain"])
    refused = domains[domains.refused]
    windows = [
        window
        for frame, view, span in (
            (domains, ANY, parameters.window),
            (refused, REFUSED, parameters.window),
            (refused, REFUSED, parameters.slow_window),
        )
        if len(frame) >= parameters.names
        for window in _windows(frame, view, span, model)
        if window.excess >= _LEAST and _is_supported(window, parameters)
    ]
    return max(windows, key=lambda window: window.excess, default=None)


def _windows(domains: pd.DataFrame, view: int, span: float, model: DgaModel) -> Iterator[_Window]:
    """The window that adds up to most, and of names that do not exist the fullest one."""
    first = domains["first"].to_numpy()
    ratios = domains.ratio.to_numpy()
    if view == ANY:
        ratios = np.maximum(ratios, 0.0) * domains.weight.to_numpy()
    begin = np.searchsorted(first, first - span, side="left")
    end = np.arange(1, first.size + 1)
    added = np.concatenate(([0.0], np.cumsum(ratios)))
    sums = added[end] - added[begin]
    expected, threshold = _honest(model, view, end - begin)
    ends = [int(np.argmax((sums - expected) / (threshold - expected)))]
    if view == REFUSED:
        ends.append(int(np.argmax(end - begin)))
    for last in dict.fromkeys(ends):
        part = domains.iloc[int(begin[last]) : last + 1]
        reuse, words = 0.0, list[str]()
        if view == REFUSED:
            labels = [model.words_in(label) for label in part.label]
            reuse, words = word_reuse(labels, model.word_shares)
        total = float(sums[last]) + reuse
        yield _Window(view, span, part, total, float(expected[last]), float(threshold[last]), words)


def _honest(model: DgaModel, view: int, names: Integers) -> tuple[Floats, Floats]:
    different, where = np.unique(names, return_inverse=True)
    sums = np.array([model.honest_sum(view, int(count)) for count in different])
    return sums[where, 0], sums[where, 1]


def _suspicious(window: _Window, domains: pd.DataFrame) -> pd.DataFrame:
    """The names that make a window suspicious, those that weigh most first."""
    # A name that does not exist needs less.
    flags = domains.ratio >= np.where(domains.refused, 0.0, _SUSPICIOUS)
    if window.words:
        words = set(window.words)
        flags |= domains.label.map(lambda label: any(word in label for word in words))
    order = ["rank", "first", "domain"]
    return domains[flags].assign(rank=lambda d: -d.ratio * d.weight).sort_values(order)


def _is_supported(window: _Window, parameters: Parameters) -> bool:
    """Whether enough names are suspicious, under several suffixes or not existing."""
    names = _suspicious(window, window.domains)
    if len(names) < parameters.names:
        return False
    return bool(
        names.refused.mean() >= parameters.refused_share
        or names.tld.nunique() >= parameters.suffixes
    )


def _detection(
    source: str, window: _Window, domains: pd.DataFrame, parameters: Parameters
) -> Detection:
    """What is said of a host, with all its suspicious names around the window."""
    begin, end = window.domains["first"].min(), window.domains["first"].max()
    near = domains["first"].between(begin - window.span, end + window.span)
    names = _suspicious(window, domains[near])
    first, last = float(names["first"].min()), float(names["last"].max())
    refused = int(names.refused.sum())
    # The oddest first, and of those the contacted ones.
    resolved = names[names.address != ""].sort_values(
        ["ratio", "contacted", "first", "domain"], ascending=[False, False, True, True]
    )
    found = [
        f"{domain} to {address}"
        for domain, address in zip(resolved.domain, resolved.address, strict=True)
    ]
    shown = ", ".join(names.domain.head(_SHOWN_IN_MESSAGE))
    message = (
        f"{source} asked for {len(names):,} names that look generated by an algorithm within "
        f"{duration(float(names['first'].max()) - first)}, {refused:,} of which do not exist, "
        f"such as {shown}"
    )
    if found and refused:
        message += f"; {found[0]} does, and may be the control server"
    evidence = [
        Evidence(
            "summed log-likelihood ratio",
            round(window.total, 1),
            expected=round(window.expected, 1),
            threshold=round(window.threshold, 1),
        ),
        Evidence("domains weighed", len(window.domains)),
        Evidence("suspicious domains", len(names), threshold=parameters.names),
        Evidence(
            "share of them that do not exist",
            round(refused / len(names), 3),
            threshold=parameters.refused_share,
        ),
        Evidence("top-level domains", names.tld.nunique(), threshold=parameters.suffixes),
        Evidence(
            "mean entropy of a label",
            round(float(names.label.map(_entropy).mean()), 2),
            unit="bits",
        ),
        Evidence("names that weighed most", ", ".join(names.domain.head(_SHOWN))),
    ]
    if window.words:
        evidence.append(Evidence("words that come back", ", ".join(window.words[:_SHOWN])))
    if found:
        evidence.append(Evidence("names that resolved", ", ".join(found[:_SHOWN])))
        # Names of one day differ, but the server behind them is often one.
        counted = Counter(resolved.address).items()
        most = sorted(counted, key=lambda each: (-each[1], each[0]))[:_SHOWN]
        evidence.append(
            Evidence("addresses of most names", ", ".join(f"{to} ({n:,})" for to, n in most))
        )
    return Detection(
        source=source,
        proto="udp",
        port=53,
        subject=str(names.domain.iloc[0]),
        first=first,
        last=last,
        score=round(score_on(window.excess, _CURVE), 6),
        message=message,
        evidence=tuple(evidence),
        connections=int(names.queries.sum()),
        best="query",
    )


def _entropy(text: str) -> float:
    """Shannon's entropy of a text's characters, in bits a character."""
    shares = [count / len(text) for count in Counter(text).values()]
    return -sum(share * math.log2(share) for share in shares)


DETECTOR = Detector("dga", Parameters, find)
