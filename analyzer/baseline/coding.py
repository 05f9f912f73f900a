"""Connections as numbers: what a baseline knows has one, what it does not know is -1."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from analyzer.baseline.bins import SHAPES, UNKNOWN_BIN
from analyzer.baseline.codes import Keys, Names, pair_keys, service_keys
from analyzer.baseline.histograms import SIZE, Codes

if TYPE_CHECKING:
    from analyzer.baseline.baseline import Baseline

RATIO = 127
"""The bin of as many bytes sent as received; one up is a half octave more sent."""

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


class Coding:
    """The numbers of hosts, ports, applications and peers.

    Args:
        baseline: what knows them; at least one day.
        ports: what it knows of the hosts' ports.
        sources: the hosts.

    Attributes:
        sources: the hosts.
        protos: transport protocols.
        services: transport protocols with a port that several use.
        applications: what was spoken.
        peers: whom hosts met.
    """

    def __init__(self, baseline: Baseline, ports: pd.DataFrame, sources: Names) -> None:
        self.sources = sources
        self.protos = Names(ports.proto)
        self.services = Keys(self.service_keys(baseline["service_shapes"]))
        self.applications = Names(ports.application)
        self.peers = Names(baseline["peers"].peer)

    def service_keys(self, frame: pd.DataFrame) -> Codes:
        """The key of each row's transport protocol and port."""
        return service_keys(self.protos.of(frame.proto), frame.port.to_numpy(np.int64))

    def application_keys(self, frame: pd.DataFrame) -> Codes:
        """The key of each row's application on its port."""
        spoken = self.applications.of(frame.application)
        return pair_keys(self.service_keys(frame), spoken, len(self.applications))

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
            place = self.places(proto, service)
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

    def places(self, proto: Codes, service: Codes) -> Codes:
        """Of each protocol and service, whose habits its are: a place among all services."""
        place = self.services.of(service)
        # A port that is no service is judged by all that are none.
        unlisted = self.services.of(service_keys(np.arange(len(self.protos)), 0))
        return np.where(place >= 0, place, np.append(unlisted, -1)[proto])

    def service_places(self, protos: npt.NDArray[np.object_], ports: Codes) -> Codes:
        """Of each port, likewise."""
        proto = self.protos.of(protos)
        return self.places(proto, service_keys(proto, ports))


def ratio_of(bins: dict[str, Codes]) -> Codes:
    """Bytes sent for each received, as a bin around :data:`RATIO`; unknown if either is."""
    sent, got = bins["bytes_out"], bins["bytes_in"]
    unknown = (sent == UNKNOWN_BIN) | (got == UNKNOWN_BIN)
    return np.where(unknown, UNKNOWN_BIN, np.clip(sent - got + RATIO, 0, SIZE - 2))
