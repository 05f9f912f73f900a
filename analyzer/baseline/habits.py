"""How unlikely each feature of a connection is, by what its host, its role and its service do.

Every feature is a chance of at least so much, or of something at least as rare, by what was
learned:

- payload bytes both ways, duration and packets: beside the host's own, either way (a host that has
  been constant and changes is news), and beside everybody's on the same port, upwards;
- bytes sent for each received, beside everybody's on that port;
- a port, an application on a port, a peer that the host has met on no day, the less others know
  them, the less likely (:mod:`analyzer.baseline.novelty`);
- an hour of the day at which the host was never active, and one that is rare for the service;
- no answer.

What a host does every day (:meth:`Habits.is_routine`) is compared with its own sizes alone, as
hosts of its role may not do it at all.

A host of fewer than :data:`FEWEST` connections has no habits: of its news only what is new for the
whole network counts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

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
    weighted_counts,
)
from analyzer.baseline.novelty import COMMON, LEVELS, Chances, News, by_level, chances
from analyzer.baseline.roles import DEVICE, SERVER, WORKSTATION, roles

if TYPE_CHECKING:
    from analyzer.baseline.baseline import Baseline

FEWEST = 20
"""Connections from which on a host has habits."""

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
# A habit may have grown by a factor of two, as in :mod:`analyzer.baseline.usual`.
_GROWTH = 2
_ROLES = (DEVICE, SERVER, WORKSTATION)
_GROUPS = len(_ROLES) + 1


# The bytes of each bin.
_BYTES = value_of(np.arange(SIZE), "bytes_out")


@dataclass(frozen=True, slots=True)
class Coded:
    """Connections as numbers, -1 where something is not known; arrays of one length.

    Attributes:
        source: the host.
        service: its transport protocol and port.
        place: whose habits those are.
        way: the service, inside or outside.
        peer: the other host.
        application: what was spoken on that port.
        spoken: whether Zeek knows what was.
        outside: whether the other host is not local.
        hour: of the day.
        answered: whether the other host did.
        bins: of each of :data:`analyzer.baseline.bins.SHAPES`.
    """

    source: Codes
    service: Codes
    place: Codes
    way: Codes
    peer: Codes
    application: Codes
    spoken: npt.NDArray[np.bool_]
    outside: npt.NDArray[np.bool_]
    hour: Codes
    answered: npt.NDArray[np.bool_]
    bins: dict[str, Codes]

    def __len__(self) -> int:
        return len(self.source)

    def taken(self, places: Codes) -> Coded:
        """Some of them."""
        arrays = {
            field.name: getattr(self, field.name)[places]
            for field in fields(self)
            if field.name != "bins"
        }
        return Coded(**arrays, bins={name: each[places] for name, each in self.bins.items()})


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
        ports = ports[ports.source.isin(self.sources.texts)]
        self.protos = Names(ports.proto)
        self._shapes(baseline)
        source = self.sources.of(ports.source)
        weight = ports.connections.to_numpy(float)
        size = len(self.sources)
        outside = ports.outside.to_numpy(bool)
        self.connections = weighted_counts(source, weight, size)
        self.has_habits = np.append(self.connections >= FEWEST, False)
        self._news_of_ports(ports, source, weight)
        self._daily_uploads(ports, source)
        self._news_of_peers(
            baseline["peers"],
            np.stack([weighted_counts(source, weight * (outside == way), size) for way in (0, 1)]),
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
        source = self.sources.of(sample.source)
        proto = self.protos.of(sample.proto)
        place = self._places(proto, self._service_keys(sample))
        count = (len(self.services) + 1) * _GROUPS
        day = sample.day.to_numpy()
        values = {metric: sample[metric].to_numpy(np.int64) for metric in SHAPES}
        values["ratio"] = ratio_of(values)
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
        """Chance of each bin of a metric, or of the ratio, or a higher one."""
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
        self._ports = News(
            source[known], service[known], ports.day.to_numpy()[known], weight[known], self.roles
        )
        rest = weighted_counts(source[folded], weight[folded], len(self.sources))
        self._ports.add(np.repeat(rest[:, None], LEVELS, axis=1))
        self.port_chances = self._ports.chances(self.connections)
        spoken = (ports.application != "").to_numpy() & known
        self.applications = Names(ports.application)
        keys = self._application_keys(ports)
        self._applications = News(
            source[spoken], keys[spoken], ports.day.to_numpy()[spoken], weight[spoken], self.roles
        )
        self.application_chances = self._applications.chances(
            weighted_counts(source[spoken], weight[spoken], len(self.sources))
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

    def is_routine(self, rows: Coded) -> npt.NDArray[np.bool_]:
        """Whether the host sends as much on other days, too, and through this port.

        It had connections of that size on two days, and on two days sent half of it or more to that
        port, whoever was there: a backup every night.
        """
        held = self.of_host["bytes_out"].second
        most = np.where(held >= 0, held + _GROWTH, -1)
        sent_bins = rows.bins["bytes_out"]
        reached = np.append(most, -1)[rows.source] >= sent_bins
        pair = pair_keys(rows.source, self._used.of(rows.way), len(self._used))
        sent = self._uploads[self._uploading.of(pair)]
        enough = 2.0 * sent >= _BYTES[sent_bins]
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
            new = by_level(source[kept], rarity[kept], np.ones(kept.sum()), len(self.sources))
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
        total = weighted_counts(source, weight, len(self.sources))
        new = weighted_counts(source[alone], weight[alone], len(self.sources))
        self.hour_chances = chances(new[:, None], total, self.roles)
        failed = weighted_counts(source, hours.failed.to_numpy(float), len(self.sources))
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

    def coded(self, rows: pd.DataFrame | Mapping[str, npt.NDArray[Any]]) -> Coded:
        """Connections as numbers, once for all that is asked of them.

        Args:
            rows: columns of :data:`ROW`; of those that are missing nothing may be asked.
        """
        held = {name: np.asarray(rows[name]) for name in ROW if name in rows}
        size = len(held["source"])
        unknown = np.full(size, -1, dtype=np.int64)
        source = self.sources.of(held["source"])
        service = place = way = unknown
        outside = held.get("outside", np.zeros(size, dtype=bool)).astype(bool)
        if "port" in held:
            proto = self.protos.of(held["proto"])
            service = service_keys(proto, held["port"])
            place = self._places(proto, service)
            way = np.where(service >= 0, service * 2 + outside, -1)
        application, spoken = unknown, np.zeros(size, dtype=bool)
        if "application" in held:
            spoken = held["application"] != ""
            if spoken.any():
                number = self.applications.of(held["application"])
                application = pair_keys(service, number, len(self.applications))
        return Coded(
            source=source,
            service=service,
            place=place,
            way=way,
            peer=self.peers.of(held["peer"]) if "peer" in held else unknown,
            application=application,
            spoken=spoken,
            outside=outside,
            hour=held["hour"].astype(np.int64) if "hour" in held else unknown,
            answered=held.get("answered", np.ones(size, dtype=bool)).astype(bool),
            bins={metric: held[metric].astype(np.int64) for metric in SHAPES if metric in held},
        )

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

    def is_active(self, rows: Coded) -> npt.NDArray[np.bool_]:
        """Whether each source was ever active around the hour; true where it has no habits."""
        active = self.active_hours[rows.source, rows.hour]
        result: npt.NDArray[np.bool_] = active | ~self.has_habits[rows.source]
        return result

    def acquaintance(self, rows: Coded) -> tuple[Codes, npt.NDArray[np.bool_]]:
        """How many sources know each peer, and whether the connection's own does."""
        met = self._met.of(pair_keys(rows.source, rows.peer, len(self.peers))) >= 0
        return self._knowing[rows.peer], met

    def users_of(self, rows: Coded) -> Codes:
        """How many sources use each port, inside or outside as the connection does."""
        return self._ports.users(rows.way)

    def host_most(self, metric: str) -> Floats:
        """The bin that all but one in a hundred of a host's stay within."""
        return np.where(self.has_habits, self._host_most[metric], float(UNKNOWN_BIN))

    def service_medians(self, metric: str) -> Floats:
        """The middle bin of a metric on each port."""
        return self._service_medians[metric]

    def chances(self, rows: Coded) -> Floats:
        """The chance of each feature, (rows, features); 1 where nothing is claimed."""
        by_role = self.role_places(rows.source, rows.place)
        result = np.ones((len(rows.source), len(FEATURES)))
        for number, metric in enumerate(SHAPES):
            bins = rows.bins[metric]
            upper = self._host_tails[metric][rows.source, bins]
            lower = self._host_lower[metric][rows.source, bins]
            both = np.minimum(1.0, 2.0 * np.minimum(upper, lower))
            # That little came back without an answer is said by there being none.
            result[:, number] = np.where(rows.answered, both, upper)
            result[:, len(SHAPES) + number] = self._service_tails[metric][rows.place, bins]
            result[:, 2 * len(SHAPES) + number] = self._role_tails[metric][by_role, bins]
        column = 3 * len(SHAPES)
        result[:, column] = self._role_tails["ratio"][by_role, ratio_of(rows.bins)]
        result[self.is_routine(rows), len(SHAPES) : column + 1] = 1.0
        news = self.news(rows)
        for number, name in enumerate(FEATURES[column + 1 :], column + 1):
            result[:, number] = (
                news[name] if name in news else self.service_hours[rows.place, rows.hour]
            )
        return result

    def news(self, rows: Coded) -> dict[str, Floats]:
        """The chances of the features that are news or not, by name; 1 where they are not."""
        quiet = ~self.is_active(rows)
        return {
            "port": self.port_news(rows),
            "application": self.application_news(rows),
            "peer": self.peer_news(rows),
            "hour": np.where(quiet, self.hour_chances.of(rows.source), 1.0),
            "unanswered": np.where(rows.answered, 1.0, self.failure_chances.of(rows.source)),
        }

    def port_news(self, rows: Coded) -> Floats:
        """Chance of a port that its host never used, inside or outside as it was."""
        return self._ports.judge(rows.source, rows.way, self.port_chances, self.has_habits)

    def application_news(self, rows: Coded) -> Floats:
        """Chance of an application that its host never spoke on the port."""
        spoken = rows.spoken & rows.answered
        if not spoken.any():
            return np.ones(len(spoken))
        chance = self._applications.judge(
            rows.source, rows.application, self.application_chances, self.has_habits
        )
        return np.where(spoken, chance, 1.0)

    def peer_news(self, rows: Coded) -> Floats:
        """Chance of a peer that its host never met."""
        knowing, met = self.acquaintance(rows)
        rarity = np.minimum(knowing, COMMON)
        inside, outside = (chances.of(rows.source, rarity) for chances in self.peer_chances)
        chance = np.where(rows.outside, outside, inside)
        return np.where(met | ~self.has_habits[rows.source], 1.0, chance)


def ratio_of(bins: dict[str, Codes]) -> Codes:
    """Bytes sent for each received, as a bin around :data:`RATIO`; unknown if either is."""
    sent, got = bins["bytes_out"], bins["bytes_in"]
    unknown = (sent == UNKNOWN_BIN) | (got == UNKNOWN_BIN)
    return np.where(unknown, UNKNOWN_BIN, np.clip(sent - got + RATIO, 0, SIZE - 2))
