"""What was done and what a detector should therefore find."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from tests.traffic.benign_people import PEER_TO_PEER_USER

if TYPE_CHECKING:
    from tests.traffic.recorder import Recorder


@dataclass(frozen=True)
class Truth:
    """One attack as a detector should report it.

    `destination` is an address or a domain name and `port` a responder's port, each None where
    the attack has many; `start` and `end` are the first and last packet (seconds since the epoch);
    `technique` is the MITRE ATT&CK technique's id.
    """

    attack: str
    source: str
    destination: str | None
    port: int | None
    start: float
    end: float
    technique: str


class Attack:
    """An attack to add, by name, with the parameters that differ from its defaults."""

    def __init__(self, name: str, /, **parameters: Any) -> None:  # noqa: ANN401
        self.name = name
        self.parameters = parameters

    def __repr__(self) -> str:
        given = "".join(f", {name}={value!r}" for name, value in self.parameters.items())
        return f"Attack({self.name!r}{given})"


class Scene:
    """Where an attack takes place: its recorder, its source and its beginning."""

    def __init__(
        self, recorder: Recorder, attack: str, source: str | None, begin: float | None
    ) -> None:
        self.recorder = recorder
        self.network = recorder.network
        self.rng = recorder.rng
        self.attack = attack
        network = self.network
        if source is None:
            # Never the users whose ordinary habits already resemble an attack.
            choice = int(self.rng.integers(PEER_TO_PEER_USER + 1, len(network.users)))
            self.source = int(network.ipv4[network.user(choice)])
        else:
            self.source = network.addresses.code(source)
        window = network.window
        hours = 10.0 * 3600.0 if begin is None else begin
        self.begin = window.start + (
            hours if begin is not None else min(hours, 0.4 * window.seconds)
        )

    def truth(
        self, technique: str, destination: str | None = None, port: int | None = None
    ) -> list[Truth]:
        """The truth about everything recorded so far."""
        start, end = self.recorder.span()
        source = self.network.addresses.texts[self.source]
        return [Truth(self.attack, source, destination, port, start, end, technique)]

    def spread(self, count: int, duration: float) -> np.ndarray[Any, np.dtype[np.float64]]:
        """`count` increasing times over `duration` seconds, evenly but for some unsteadiness."""
        step = duration / max(count, 1)
        return self.begin + (np.arange(count) + self.rng.uniform(0.0, 0.8, count)) * step
