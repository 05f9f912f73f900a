"""What a detector is, and what it says; the pipeline and the rules make findings of it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import numpy as np

from analyzer.features import (
    asked_names,
    contacts,
    conversations,
    destinations,
    dns_questions,
    local_hosts,
    name_servers,
)
from analyzer.findings import Evidence, Finding
from analyzer.lookups import answers, name_domains
from analyzer.public_suffix import suffix_rules

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from analyzer.baseline.anonymise import Key
    from analyzer.baseline.baseline import Baseline
    from analyzer.records import Records


@dataclass(frozen=True, slots=True, kw_only=True)
class Detection:
    """One thing a detector noticed, before a rule gives it a name and a technique.

    Attributes:
        source: the host it is about.
        destination: the other side, if it is one host.
        port: responder port, if it is one.
        proto: transport protocol, if it is one.
        subject: what else it is about (a domain).
        first: time of the first connection of it.
        last: time of the last.
        score: how sure we are, in [0, 1].
        message: one sentence for a person.
        evidence: the numbers behind it.
        connections: how many connections or queries it stands for.
        technique: ATT&CK id of the rule's technique that fits best; None for the rule's first.
        alone: no other technique of the rule fits (they stand for other ports or protocols).
        best: which connection of it shows it best: the first one, one that failed, the one that
            moved most bytes, or the one with the longest DNS query.
    """

    source: str
    first: float
    last: float
    score: float
    message: str
    connections: int
    destination: str | None = None
    port: int | None = None
    proto: str | None = None
    subject: str = ""
    evidence: tuple[Evidence, ...] = ()
    technique: str | None = None
    alone: bool = False
    best: Literal["first", "failed", "bytes", "query"] = "first"


T = TypeVar("T")


class Shared:
    """Results that several rules of one run need, computed when first asked for.

    Attributes:
        baseline: what was learned to be usual on this network; None if nothing was.
        key: the key of the hashes that its addresses and names are; None if they are not.
    """

    def __init__(self, baseline: Baseline | None = None, key: Key | None = None) -> None:
        self.baseline = baseline
        self.key = key
        self._results: dict[object, Any] = {}

    def get(self, key: object, compute: Callable[[], T]) -> T:
        """The result under `key`, computed now if it is the first time."""
        if key not in self._results:
            self._results[key] = compute()
        result: T = self._results[key]
        return result


def shared_conversations(records: Records, shared: Shared) -> ir.Table:
    """Who met whom, see :func:`analyzer.features.conversations`."""
    return shared.get(conversations, lambda: conversations(records))


def shared_contacts(records: Records, shared: Shared) -> ir.Table:
    """Who tried to reach whom, see :func:`analyzer.features.contacts`."""
    return shared.get(contacts, lambda: contacts(records, shared_conversations(records, shared)))


def shared_destinations(records: Records, shared: Shared) -> ir.Table:
    """How common each destination is, see :func:`analyzer.features.destinations`."""
    return shared.get(destinations, lambda: destinations(records, shared_contacts(records, shared)))


def shared_local_hosts(records: Records, shared: Shared) -> int:
    """How many local hosts there are, see :func:`analyzer.features.local_hosts`."""
    return shared.get(local_hosts, lambda: local_hosts(shared_contacts(records, shared)))


def shared_questions(records: Records, shared: Shared) -> ir.Table:
    """Who asked whom for which types, see :func:`analyzer.features.dns_questions`."""
    return shared.get(dns_questions, lambda: dns_questions(records))


def shared_names(records: Records, shared: Shared) -> ir.Table:
    """Who asked for which name, see :func:`analyzer.features.asked_names`."""
    return shared.get(asked_names, lambda: asked_names(records))


def shared_answers(records: Records, shared: Shared) -> ir.Table:
    """Which names led where, see :func:`analyzer.lookups.answers`."""
    return shared.get(answers, lambda: answers(records))


def shared_rules(records: Records, shared: Shared) -> ir.Table:
    """The Public Suffix List, see :func:`analyzer.public_suffix.suffix_rules`."""
    return shared.get(suffix_rules, lambda: records.keep(suffix_rules(), "suffix_rules"))


def shared_domains(records: Records, shared: Shared) -> ir.Table:
    """The registered domain of every name, see :func:`analyzer.lookups.name_domains`."""

    def compute() -> ir.Table:
        asked, told = shared_names(records, shared), shared_answers(records, shared)
        return name_domains(asked, told, shared_rules(records, shared), records)

    return shared.get(name_domains, compute)


PASSES_ON = 3
"""Hosts that ask one from which its own questions are theirs, passed on."""


def shared_name_servers(records: Records, shared: Shared) -> dict[str, int]:
    """How many hosts each name server answers, see :func:`analyzer.features.name_servers`."""

    def ask() -> dict[str, int]:
        table = name_servers(shared_questions(records, shared)).to_pyarrow()
        return dict(zip(table["orig_h"].to_pylist(), table["clients"].to_pylist(), strict=True))

    return shared.get(name_servers, ask)


def shared_local_askers(records: Records, shared: Shared) -> frozenset[str]:
    """The local hosts that asked for anything, by their networks and by what Zeek said."""

    def ask() -> frozenset[str]:
        questions = shared_questions(records, shared)
        asking = questions.select("orig_h").distinct().to_pandas().orig_h
        local = set(asking[records.local.are_local(asking)])
        if records.local.flagged and records.counts.get("conn"):
            met = shared_contacts(records, shared)
            flagged = met.filter(met.source_is_local).select("orig_h").distinct().to_pandas()
            local |= set(flagged.orig_h) & set(asking)
        return frozenset(local)

    return shared.get((__name__, "askers"), ask)


# Shares of the local hosts that meet a destination, from which it is rare or common, and what that
# does to a score: RITA's prevalence modifier and its defaults (config.hjson), of which a common
# destination gets the whole and a rare one a third, as scores above 0.9 lie closer together.
RARE, COMMON = 0.02, 0.5
_RARER, _COMMONER = 0.05, -0.15
# Of fewer hosts, a share says nothing.
_ENOUGH_HOSTS = 10


def prevalence_modifier(sources: int, hosts: int) -> float:
    """What to add to a score for how common its destination is among the local hosts.

    Args:
        sources: local hosts that meet the destination.
        hosts: all local hosts.
    """
    if hosts < _ENOUGH_HOSTS:
        return 0.0
    share = sources / hosts
    if share >= COMMON:
        return _COMMONER
    return _RARER if share <= RARE else 0.0


@dataclass(frozen=True, slots=True)
class Detector:
    """A way of finding something in records.

    Attributes:
        name: what rules call it.
        parameters: the frozen dataclass of its parameters; every field has a default.
        find: the detector itself: records, parameters and what other rules have computed, to
            detections. It reads nothing else and keeps nothing.
        compares: it finds what is unusual beside a baseline, whatever the reason.
    """

    name: str
    parameters: type
    find: Callable[[Records, Any, Shared], Iterable[Detection]]
    compares: bool = False


@dataclass(frozen=True, slots=True)
class Accumulation:
    """What several findings add up to.

    Attributes:
        detection: the sum, about the host they are about.
        rests_on: the findings it rests on, loudest first; their techniques and connections are
            shown with it.
    """

    detection: Detection
    rests_on: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class Accumulator:
    """A way of finding something in what detectors have found; it sees no records.

    Accumulators run after all detectors, on the findings of all of them and of no accumulator.

    Attributes:
        name: what rules call it, unlike any detector.
        parameters: the frozen dataclass of its parameters; every field has a default.
        find: the accumulator itself: findings, parameters and the sources among them that are
            outside, to accumulations. It reads nothing else and keeps nothing.
    """

    name: str
    parameters: type
    find: Callable[[Sequence[Finding], Any, Collection[str]], Iterable[Accumulation]]


def score_on(value: float, curve: tuple[tuple[float, float], ...]) -> float:
    """A score read off a curve: (value, score) points in rising order, straight lines between."""
    values, scores = zip(*curve, strict=True)
    return float(np.interp(value, values, scores))
