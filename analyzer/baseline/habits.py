"""How unlikely each feature of a connection is, by what its host, its role and its service do.

Every feature is a chance of at least so much, or of something at least as rare, by what was learned:

- payload bytes both ways, duration and packets: beside the host's own, either way (a host that has
  been constant and changes is news), and beside everybody's on the same port, upwards;
- bytes sent for each received, beside everybody's on that port;
- a port, an application on a port, a peer that the host has met on no day, the less others know
  them, the less likely (:mod:`analyzer.baseline.novelty`);
- an hour of the day at which the host was never active, and one that is rare for the service;
- no answer.

What a host does every day (:meth:`Habits.is_routine`) is compared with its own sizes alone, as hosts
of its role may not do it at all.

A host of fewer than :data:`FEWEST` connections has no habits: of its news only what is new for the
whole network counts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd

from analyzer.baseline.bins import SHAPES, UNKNOWN_BIN, value_of
from analyzer.baseline.codes import Keys, Names, pair_keys, service_keys
from analyzer.baseline.histograms import (
    PRIOR,
    SIZE,
    Codes,
    Floats,
    Histograms,
    histograms,
    lower_tails,
    shrunk_tails,
)
from analyzer.baseline.novelty import Chances, chances
from analyzer.baseline.roles import DEVICE, SERVER, WORKSTATION, roles

if TYPE_CHECKING:
    from analyzer.baseline.baseline import Baseline

FEWEST = 20
"""Connections from which on a host has habits."""

COMMON = 4
"""Other hosts from which on something is not rare in the network."""

RATIO = 127
"""The bin of as many bytes sent as received; one up is a half octave more sent."""

FEATURES = (
    *(f"{metric} of the host" for metric in SHAPES),
    *(f"{metric} of the service" for metric in SHAPES),
    *(f"{metric} of the role on the service" for metric in SHAPES),
    "ratio",
    "port",
    "application",
    "peer",
    "hour",
    "hour of the service",
    "unanswered",
)
"""What is looked at in a connection, in the order of :meth:`Habits.chances`."""

ROW = (
    "source",
    "peer",
    "proto",
    "port",
    "application",
    "outside",
    "hour",
    "answered",
    *SHAPES,
)
"""The columns of connections to judge, as those of the baseline's ``reference``."""

_HOURS = 24
_NEARLY_ALL = 0.99
# A habit may have grown by a half octave.
_GROWTH = 1
_ROLES = (DEVICE, SERVER, WORKSTATION)
_GROUPS = len(_ROLES) + 1
_LEVELS = COMMON + 1


class Habits:
    """What the connections of a network's hosts are like, ready to be asked.

    Args:
        baseline: what was learned; at least one day.
    """

    def __init__(self, baseline: Baseline) -> None:
        self.days = len(baseline.days)
        role = roles(baseline)
        self.sources = Names(role.index)
        numbers = [_ROLES.index(name) for name in role.sort_index()]
        self.roles = np.array(numbers, dtype=np.int64)
        self.groups = np.append(self.roles, len(_ROLES))
        ports = baseline["ports"]
        self.protos = Names(ports.proto)
        self._shapes(baseline)
        source = self.sources.of(ports.source)
        weight = ports.connections.to_numpy(float)
        size = len(self.sources)
        outside = ports.outside.to_numpy(bool)
        self.connections = np.bincount(source, weight, size)
        self.has_habits = np.append(self.connections >= FEWEST, False)
        self._news_of_ports(ports, source, weight)
        self._daily_uploads(ports, source)
        self._news_of_peers(
            baseline["peers"],
            np.stack([np.bincount(source, weight * (outside == way), size) for way in (0, 1)]),
        )
        self._news_of_hours(baseline["hours"])
        self._hours_of_services(baseline["reference"])

    def _shapes(self, baseline: Baseline) -> None:
        own, served = baseline["shapes"], baseline["service_shapes"]
        self.services = Keys(self._service_keys(served))
        self._role_tails: dict[str, Floats] = {}
        self.of_role: dict[str, Histograms] = {}
        self.of_host: dict[str, Histograms] = {}
        self.of_service: dict[str, Histograms] = {}
        self._host_tails: dict[str, Floats] = {}
        self._host_lower: dict[str, Floats] = {}
        self._host_most: dict[str, Floats] = {}
        self._service_tails: dict[str, Floats] = {}
        self._service_medians: dict[str, Floats] = {}
        for metric in SHAPES:
            rows = own[own.metric == metric]
            held = histograms(self.sources.of(rows.source), rows, len(self.sources))
            self.of_host[metric] = held
            self._host_most[metric] = held.quantile(_NEARLY_ALL)
            self._host_tails[metric] = shrunk_tails(held, self.roles)
            self._host_lower[metric] = lower_tails(held, self.roles)
            rows = served[served.metric == metric]
            keys = self.services.of(self._service_keys(rows))
            held = histograms(keys, rows, len(self.services))
            self.of_service[metric] = held
            self._service_tails[metric] = shrunk_tails(held, self._service_groups(), prior=PRIOR)
            self._service_medians[metric] = held.quantile(0.5)
        self._shapes_of_roles(baseline["reference"])

    def _shapes_of_roles(self, sample: pd.DataFrame) -> None:
        """What each role does on each port: sizes are too different for one of both to tell."""
        source, _, place = self.places(sample)
        count = (len(self.services) + 1) * _GROUPS
        day = sample.day.to_numpy()
        values = {metric: sample[metric].to_numpy(np.int64) for metric in SHAPES}
        values["ratio"] = ratio_bins(sample)
        # Roles of a port draw towards what the role does on all ports.
        groups = np.arange(count) % _GROUPS
        for name, bins in values.items():
            rows = pd.DataFrame({"day": day, "bin": bins, "connections": 1.0}, copy=False)
            held = histograms(self.role_places(source, place), rows, count)
            self.of_role[name] = held
            self._role_tails[name] = shrunk_tails(held, groups, prior=PRIOR)

    def role_places(self, source: Codes, place: Codes) -> Codes:
        """Of each source's role on each service, the place in :meth:`role_tails`."""
        return self.group_places(self.groups[source], place)

    def group_places(self, group: Codes, place: Codes) -> Codes:
        """Likewise by the number of the role."""
        result: Codes = (place % (len(self.services) + 1)) * _GROUPS + group
        return result

    def role_tails(self, name: str) -> Floats:
        """Chance of each bin of a metric, or of the ratio, or a higher one, by role on a service."""
        return self._role_tails[name]

    def _service_keys(self, frame: pd.DataFrame) -> Codes:
        return service_keys(self.protos.of(frame.proto), frame.port.to_numpy(np.int64))

    def _service_groups(self) -> Codes:
        """Services draw to those of their transport protocol."""
        return self.services.values // 65_536

    def _news_of_ports(self, ports: pd.DataFrame, source: Codes, weight: Floats) -> None:
        service = self._service_keys(ports) * 2 + ports.outside.to_numpy(np.int64)
        # What was folded together is news that nobody else can have known.
        folded = (ports.port.to_numpy() == 0) & ports.proto.isin(("tcp", "udp")).to_numpy()
        known = ~folded
        self._ports = _News(
            source[known], service[known], ports.day.to_numpy()[known], weight[known], self
        )
        rest = np.bincount(source[folded], weight[folded], len(self.sources))
        self._ports.add(np.repeat(rest[:, None], _LEVELS, axis=1))
        self.port_chances = self._ports.chances(self.connections)
        spoken = (ports.application != "").to_numpy() & known
        self.applications = Names(ports.application)
        keys = self._application_keys(ports)
        self._applications = _News(
            source[spoken], keys[spoken], ports.day.to_numpy()[spoken], weight[spoken], self
        )
        self.application_chances = self._applications.chances(
            np.bincount(source[spoken], weight[spoken], len(self.sources))
        )

    def _application_keys(self, frame: pd.DataFrame) -> Codes:
        spoken = self.applications.of(frame.application)
        return pair_keys(self._service_keys(frame), spoken, len(self.applications))

    def _daily_uploads(self, ports: pd.DataFrame, source: Codes) -> None:
        """What each host sends to each port on its second busiest day."""
        service = self._service_keys(ports) * 2 + ports.outside.to_numpy(np.int64)
        self._used = Keys(service)
        place = self._used.of(service)
        daily = pd.DataFrame(
            {
                "pair": source * len(self._used) + place,
                "day": ports.day.to_numpy(),
                "sent": ports.bytes_out.to_numpy(float),
            }
        )
        sums = daily.groupby(["pair", "day"]).sent.sum().reset_index()
        sums = sums.sort_values(["pair", "sent"], ascending=[True, False], kind="stable")
        second = sums[sums.groupby("pair").cumcount() == 1]
        self._uploading = Keys(second.pair.to_numpy(np.int64))
        self._uploads = np.append(second.sent.to_numpy(float), 0.0)

    def is_routine(
        self, rows: pd.DataFrame, source: Codes, service: Codes
    ) -> npt.NDArray[np.bool_]:
        """Whether the host sends as much on other days, too, and through this port.

        It had connections of that size on two days, and on two days sent half of it or more to that
        port, whoever was there: a backup every night.
        """
        held = self.of_host["bytes_out"].second
        most = np.where(held >= 0, held + _GROWTH, -1)
        reached = np.append(most, -1)[source] >= rows.bytes_out.to_numpy(np.int64)
        key = np.where(service >= 0, service * 2 + rows.outside.to_numpy(np.int64), -1)
        pair = pair_keys(source, self._used.of(key), len(self._used))
        sent = self._uploads[self._uploading.of(pair)]
        enough = 2.0 * sent >= value_of(rows.bytes_out.to_numpy(), "bytes_out")
        result: npt.NDArray[np.bool_] = reached & enough
        return result

    def _news_of_peers(self, peers: pd.DataFrame, connections: Floats) -> None:
        self.peers = Names(peers.peer)
        source, peer = self.sources.of(peers.source), self.peers.of(peers.peer)
        once = (peers.first_day == peers.last_day).to_numpy()
        outside = peers.outside.to_numpy(bool)
        self._met = Keys(pair_keys(source, peer, len(self.peers)))
        self._knowing = np.append(np.bincount(peer, minlength=len(self.peers)), 0)
        rarity = np.minimum(self._knowing[peer] - 1, COMMON)
        self.peer_chances: list[Chances] = []
        for way in (0, 1):
            kept = once & (outside == way) & (source >= 0)
            new = _by_level(source[kept], rarity[kept], np.ones(kept.sum()), len(self.sources))
            self.peer_chances.append(chances(new, connections[way], self.roles))

    def _news_of_hours(self, hours: pd.DataFrame) -> None:
        source = self.sources.of(hours.source)
        hour, weight = hours.hour.to_numpy(np.int64), hours.connections.to_numpy(float)
        _, day = np.unique(hours.day.to_numpy(), return_inverse=True)
        days = int(day.max()) + 1 if len(day) else 1
        seen = np.zeros((len(self.sources), days, _HOURS), dtype=bool)
        seen[source, day, hour] = weight > 0
        # Around an hour is at it: nobody comes by the minute.
        around = seen | np.roll(seen, 1, axis=2) | np.roll(seen, -1, axis=2)
        active = around.sum(axis=1)
        self.active_hours = np.vstack([active > 0, np.zeros((1, _HOURS), dtype=bool)])
        alone = active[source, hour] <= 1
        total = np.bincount(source, weight, len(self.sources))
        new = np.bincount(source[alone], weight[alone], len(self.sources))
        self.hour_chances = chances(new[:, None], total, self.roles)
        failed = np.bincount(source, hours.failed.to_numpy(float), len(self.sources))
        self.failure_chances = chances(failed[:, None], total, self.roles)

    def _hours_of_services(self, sample: pd.DataFrame) -> None:
        keys = self.services.of(self._service_keys(sample))
        hours = sample.hour.to_numpy(np.int64)
        everyone = np.bincount(hours, minlength=_HOURS) + 1.0 / _HOURS
        everyone = everyone / everyone.sum()
        known = keys >= 0
        counts = np.bincount(
            keys[known] * _HOURS + hours[known], minlength=len(self.services) * _HOURS
        ).reshape(-1, _HOURS)
        size = counts.sum(axis=1, keepdims=True)
        share = np.vstack([(counts + PRIOR * everyone) / (size + PRIOR), everyone])
        near = (share + np.roll(share, 1, axis=1) + np.roll(share, -1, axis=1)) / 3.0
        rarer = near[:, None, :] <= near[:, :, None] * (1 + 1e-9)
        self.service_hours = np.minimum((rarer * near[:, None, :]).sum(axis=2), 1.0)

    def places(self, rows: pd.DataFrame) -> tuple[Codes, Codes, Codes]:
        """The number of each connection's source, of its port, and of whose habits those are."""
        source = self.sources.of(rows.source.to_numpy())
        proto = self.protos.of(rows.proto.to_numpy())
        service = service_keys(proto, rows.port.to_numpy(np.int64))
        return source, service, self._places(proto, service)

    def _places(self, proto: Codes, service: Codes) -> Codes:
        place = self.services.of(service)
        # A port that is no service is judged by all that are none.
        unlisted = self.services.of(service_keys(np.arange(len(self.protos)), 0))
        return np.where(place >= 0, place, np.append(unlisted, -1)[proto])

    def service_places(self, protos: npt.NDArray[np.object_], ports: Codes) -> Codes:
        """Of each port, the place in :meth:`service_tails` and the like."""
        proto = self.protos.of(protos)
        return self._places(proto, service_keys(proto, ports))

    def host_tails(self, metric: str) -> tuple[Floats, Floats]:
        """Chance of each bin or a higher, and or a lower one, by source and bin."""
        return self._host_tails[metric], self._host_lower[metric]

    def service_tails(self, metric: str) -> Floats:
        """Chance of each bin or a higher one, by service and bin."""
        return self._service_tails[metric]

    def is_active(self, source: Codes, rows: pd.DataFrame) -> npt.NDArray[np.bool_]:
        """Whether each source was ever active around the hour; true where it has no habits."""
        active = self.active_hours[source, rows.hour.to_numpy(np.int64)]
        result: npt.NDArray[np.bool_] = active | ~self.has_habits[source]
        return result

    def acquaintance(
        self, source: Codes, rows: pd.DataFrame
    ) -> tuple[Codes, npt.NDArray[np.bool_]]:
        """How many sources know each peer, and whether the connection's own does."""
        peer = self.peers.of(rows.peer.to_numpy())
        met = self._met.of(pair_keys(source, peer, len(self.peers))) >= 0
        return self._knowing[peer], met

    def users_of(self, service: Codes, rows: pd.DataFrame) -> Codes:
        """How many sources use each port, inside or outside as the connection does."""
        key = np.where(service >= 0, service * 2 + rows.outside.to_numpy(np.int64), -1)
        return self._ports.users(key)

    def host_most(self, metric: str) -> Floats:
        """The bin that all but one in a hundred of a host's stay within; hosts without habits none."""
        return np.where(self.has_habits, self._host_most[metric], float(UNKNOWN_BIN))

    def service_medians(self, metric: str) -> Floats:
        """The middle bin of a metric on each port."""
        return self._service_medians[metric]

    def chances(self, rows: pd.DataFrame) -> Floats:
        """The chance of each feature, (rows, features); 1 where nothing is claimed.

        Args:
            rows: connections with the columns :data:`ROW`.
        """
        source, service, place = self.places(rows)
        hour = rows.hour.to_numpy(np.int64)
        by_role = self.role_places(source, place)
        # That little came back without an answer is said by there being none.
        answered = rows.answered.to_numpy(bool)
        result = np.ones((len(rows), len(FEATURES)))
        for number, metric in enumerate(SHAPES):
            bins = rows[metric].to_numpy(np.int64)
            upper = self._host_tails[metric][source, bins]
            lower = self._host_lower[metric][source, bins]
            both = np.minimum(1.0, 2.0 * np.minimum(upper, lower))
            result[:, number] = np.where(answered, both, upper)
            result[:, len(SHAPES) + number] = self._service_tails[metric][place, bins]
            result[:, 2 * len(SHAPES) + number] = self._role_tails[metric][by_role, bins]
        routine = np.flatnonzero(self.is_routine(rows, source, service))
        column = 3 * len(SHAPES)
        result[routine, len(SHAPES) : column] = 1.0
        result[:, column] = self._role_tails["ratio"][by_role, ratio_bins(rows)]
        result[routine, column] = 1.0
        news = self.news(rows)
        for number, name in enumerate(FEATURES[column + 1 :]):
            if name in news:
                result[:, column + 1 + number] = news[name]
        result[:, FEATURES.index("hour of the service")] = self.service_hours[place, hour]
        return result

    def news(self, rows: pd.DataFrame) -> dict[str, Floats]:
        """The chances of the features that are news or not, by name; 1 where they are not."""
        source = self.sources.of(rows.source.to_numpy())
        quiet = ~self.is_active(source, rows)
        failed = ~rows.answered.to_numpy(bool)
        return {
            "port": self.port_news(rows),
            "application": self.application_news(rows),
            "peer": self.peer_news(rows),
            "hour": np.where(quiet, self.hour_chances.of(source), 1.0),
            "unanswered": np.where(failed, self.failure_chances.of(source), 1.0),
        }

    def port_news(self, rows: pd.DataFrame) -> Floats:
        """Chance of a port that its host never used, ``source proto port outside``."""
        source, service, _ = self.places(rows)
        key = np.where(service >= 0, service * 2 + rows.outside.to_numpy(np.int64), -1)
        return self._ports.judge(source, key, self.port_chances)

    def application_news(self, rows: pd.DataFrame) -> Floats:
        """Chance of an application new on its port, ``source proto port application answered``."""
        source = self.sources.of(rows.source.to_numpy())
        spoken = (rows.application.to_numpy() != "") & rows.answered.to_numpy(bool)
        if not spoken.any():
            return np.ones(len(rows))
        key = self._application_keys(rows)
        return np.where(spoken, self._applications.judge(source, key, self.application_chances), 1)

    def peer_news(self, rows: pd.DataFrame) -> Floats:
        """Chance of a peer that its host never met, ``source peer outside``."""
        source = self.sources.of(rows.source.to_numpy())
        knowing, met = self.acquaintance(source, rows)
        rarity = np.minimum(knowing, COMMON)
        outside = rows.outside.to_numpy(bool)
        chance = np.where(
            outside,
            self.peer_chances[1].of(source, rarity),
            self.peer_chances[0].of(source, rarity),
        )
        return np.where(met | ~self.has_habits[source], 1.0, chance)


class _News:
    """Which keys each source had on which days, and how often one was there on one day alone."""

    def __init__(
        self,
        source: Codes,
        key: Codes,
        day: npt.NDArray[np.int16],
        weight: Floats,
        habits: Habits,
    ) -> None:
        self._habits = habits
        self._keys = Keys(key)
        size = len(self._keys)
        place = self._keys.of(key)
        frame = pd.DataFrame(
            {"source": source, "place": place, "day": day.astype(np.int64), "weight": weight}
        )
        pairs = (
            frame.groupby(["source", "place"])
            .agg(first=("day", "min"), last=("day", "max"), weight=("weight", "sum"))
            .reset_index()
        )
        self._size = size
        where = pairs.place.to_numpy(np.int64)
        self._had = Keys(pairs.source.to_numpy(np.int64) * size + where)
        self._users = np.append(np.bincount(where, minlength=size), 0).astype(np.int64)
        once = (pairs["first"] == pairs["last"]).to_numpy()
        self._new = _by_level(
            pairs.source.to_numpy(np.int64)[once],
            np.minimum(self._users[where[once]] - 1, COMMON),
            pairs.weight.to_numpy(float)[once],
            len(habits.sources),
        )

    def add(self, new: Floats) -> None:
        """More news of each source, by level or rarer."""
        self._new = self._new + new

    def chances(self, total: Floats) -> Chances:
        """The chances of news, given each source's connections."""
        return chances(self._new, total, self._habits.roles)

    def users(self, keys: Codes) -> Codes:
        """How many sources have each key."""
        result: Codes = self._users[self._keys.of(keys)]
        return result

    def judge(self, source: Codes, keys: Codes, known: Chances) -> Floats:
        """The chance of each source's having each key; 1 if it had it before."""
        place = self._keys.of(keys)
        had = self._had.of(pair_keys(source, place, self._size)) >= 0
        users = self._users[place]
        chance = known.of(source, np.minimum(users, COMMON))
        # Of a host without habits only what nobody has is news.
        stranger = ~self._habits.has_habits[source]
        everyone = known.table[-1, 0]
        chance = np.where(stranger, np.where(users == 0, everyone, 1.0), chance)
        return np.where(had, 1.0, chance)


def _by_level(source: Codes, level: Codes, weight: Floats, size: int) -> Floats:
    """Weights of each source at each level or a rarer one, (sources, levels)."""
    flat = np.bincount(source * _LEVELS + level, weight, size * _LEVELS).astype(float)
    result: Floats = np.cumsum(flat.reshape(size, _LEVELS), axis=1)
    return result


def ratio_bins(rows: pd.DataFrame) -> npt.NDArray[np.int64]:
    """Bytes sent for each received, as a bin around :data:`RATIO`; unknown if either is."""
    sent, got = rows.bytes_out.to_numpy(np.int64), rows.bytes_in.to_numpy(np.int64)
    unknown = (sent == UNKNOWN_BIN) | (got == UNKNOWN_BIN)
    return np.where(unknown, UNKNOWN_BIN, np.clip(sent - got + RATIO, 0, SIZE - 2))
