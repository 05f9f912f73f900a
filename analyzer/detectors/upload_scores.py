"""How sure one is that an upload is worth a look: what is unremarkable there, and what explains it.

What is unremarkable is least for an address that no name led to, more for a server with a name on a
port where people upload, and grows with the share of local hosts that go there. What comes back
every day at its hour, what many hosts do, and what a server passes on that collects from others,
are backups, services and relays.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from analyzer.detectors.detection import prevalence_modifier, score_on
from analyzer.detectors.transfers import DAY, HOUR, Transfer
from analyzer.detectors.upload_context import Context
from analyzer.detectors.uploads import Usual
from analyzer.findings import Severity

# Where people upload with a name or without: the web, mail, SSH with git and file copies, FTP.
_ORDINARY_PORTS = (20, 21, 22, 25, 80, 443, 465, 587, 990, 993, 8080, 8443)
# Where calls are relayed: STUN and TURN (RFC 8489, 8656), Google Meet and Zoom media, each by its
# own firewall guide. A shared screen is sent and hardly anything comes back.
_CALL_PORTS = frozenset({*range(3478, 3482), *range(8801, 8811), *range(19302, 19310)})
# Share of outside destinations in DNS answers from which a nameless one says something.
_HABIT = 0.7

# How many times the floor is unremarkable. Slips reports 500 MB to one host (README, "data
# upload"); a server with a name on an ordinary port is low from half of that, medium from 760 MB.
_NAMED_ORDINARY, _NAMED, _UNTOLD_ORDINARY, _CALL = 24.0, 3.0, 9.0, 10.0
# Of each percent of local hosts that go there, a fifth more.
_SHARE_WEIGHT = 20.0
_ENOUGH_HOSTS = 10
# However common the place is: so much more than anyone else sends there is no use of it.
_UNLIKE_OTHERS = 100.0

# log10 of the amount over what is unremarkable -> score: low from there, medium from 3 times,
# critical from 40 times (10 GB to a server with a name).
_CURVE = ((-2.0, 0.0), (0.0, 0.7), (0.5, 0.8), (1.1, 0.9), (1.6, 0.95), (4.0, 0.99))
_ROUTINE, _UNSURE = 0.5, 0.75
# Other days with the like that make a routine: at the same hour for a place with a name, for one
# without, and at any time of day.
_NIGHTS, _NAMELESS_NIGHTS, _DAYS = 1, 2, 2
# A backup is over in some hours.
_NIGHT = 4 * HOUR
# Hosts that upload as much make a service of it: so many, and so large a share of all.
_USERS, _USERS_SHARE, _LIKE = 5, 0.05, 0.25
# What passes on no more than twice what two hosts or more gave it is a relay, unless two days
# before show it without.
_RELAYED, _CONTRIBUTORS, _HISTORY = 0.5, 2.0, 2 * DAY
# First met that long before: the channel was there, and then it was used.
_CHANNEL = 600.0
# A synchronised folder is sent for as long as its host is seen, give or take so much.
_STEADY, _EDGE = 5 * HOUR, 1.5 * HOUR
HALF = 0.5
"""Share of a transfer within one hour from which it was sent at once."""


@dataclass(frozen=True)
class Case:
    """One unusual upload with all that it is judged by.

    Attributes:
        transfer: what was sent.
        context: what stands around it.
        name: the name that led to where most was sent, empty if none did.
        usual: what its source usually sends to one other destination.
        chance: tail probability of the amount.
        samples: how many uploads the tail rests on.
    """

    transfer: Transfer
    context: Context
    name: str
    usual: Usual
    chance: float
    samples: int

    @property
    def port(self) -> int:
        """The port that most was sent to."""
        sums = self.transfer.rows.groupby("resp_p").sent.sum()
        return int(sums[sums == sums.max()].index.min())

    @property
    def proto(self) -> str:
        """The protocol that most was sent by."""
        sums = self.transfer.rows.groupby("proto").sent.sum()
        return str(sums[sums == sums.max()].index.min())


def unremarkable(case: Case, floor: float) -> float:
    """Bytes that may go to such a place without a second look."""
    transfer, context = case.transfer, case.context
    ordinary = case.port in _ORDINARY_PORTS
    times = 1.0
    if transfer.chunks:
        # Nobody uploads in connections of one size by hand.
        times = 1.0
    elif case.name:
        times = _NAMED_ORDINARY if ordinary else _NAMED
    elif ordinary and context.lookups < _HABIT:
        times = _UNTOLD_ORDINARY
    if case.proto == "udp" and case.port in _CALL_PORTS:
        times *= _CALL
    if context.hosts >= _ENOUGH_HOSTS and not _is_unlike_others(case):
        times *= 1 + _SHARE_WEIGHT * context.others / context.hosts
    return floor * times


def _is_unlike_others(case: Case) -> bool:
    most = max(case.context.others_sent, default=0.0)
    return case.transfer.sent > _UNLIKE_OTHERS * most


def score(case: Case, floor: float) -> float:
    """The score of an upload, see :class:`analyzer.detectors.detection.Detection`."""
    transfer, context = case.transfer, case.context
    over = math.log10(transfer.sent / unremarkable(case, floor))
    modifier = prevalence_modifier(context.others + 1, context.hosts)
    if _is_unlike_others(case):
        modifier = max(modifier, 0.0)
    value = score_on(over, _CURVE)
    # A rare place makes louder what is loud already: every private hobby goes to one.
    if value >= Severity.MEDIUM.bound or modifier < 0:
        value = min(0.99, value + modifier)
    steady = _is_steady(case)
    if _is_routine(case) or _is_service(case) or (steady and not transfer.chunks):
        return min(value, _ROUTINE)
    relayed = (
        context.collected >= _RELAYED * transfer.sent and context.contributors >= _CONTRIBUTORS
    )
    sharing = context.swarm and transfer.sent < HALF * context.sent_in_all
    if (relayed and transfer.first - context.seen < _HISTORY) or sharing or steady:
        value = min(value, _UNSURE)
    return max(0.0, value)


def _is_routine(case: Case) -> bool:
    """Whether other days have the like: by the clock, or since it is known."""
    transfer, context = case.transfer, case.context
    nights = transfer.clock_likes if transfer.last - transfer.first <= _NIGHT else 0
    if nights >= (_NIGHTS if case.name else _NAMELESS_NIGHTS):
        return True
    return bool(case.name) and transfer.likes >= _DAYS and context.met - context.seen <= DAY


def _is_steady(case: Case) -> bool:
    """Whether a server with a name is sent to for as long as the source is seen."""
    transfer, context = case.transfer, case.context
    span = transfer.last - transfer.first
    return (
        bool(case.name)
        and span >= _STEADY
        and transfer.hour_share < HALF
        and transfer.active_hours >= HALF * span / HOUR
        and context.met - context.seen <= _EDGE
        and (context.seen_last - transfer.last <= _EDGE or context.seen_last - context.seen > DAY)
    )


def _is_service(case: Case) -> bool:
    """Whether many hosts upload as much there."""
    context = case.context
    users = sum(sent >= _LIKE * case.transfer.sent for sent in context.others_sent)
    known = bool(case.name) or case.port in _ORDINARY_PORTS
    return known and users >= max(_USERS, _USERS_SHARE * context.hosts)


def technique(case: Case) -> str:
    """Which technique it looks like: limited sizes, a web service, a channel that stood."""
    if case.transfer.chunks or case.transfer.hour_share < HALF:
        return "T1030"
    if case.name and case.port in _WEB_PORTS:
        return "T1567"
    return "T1041" if case.transfer.first - case.context.met > _CHANNEL else "T1048"


_WEB_PORTS = (80, 443, 8080, 8443)
