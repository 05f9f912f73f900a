"""Lateral movement, one host after another: A takes charge of B, and B, soon after, of C.

Each move by itself is nothing. What is odd is that a host that never administered another begins to
just after somebody took charge of it, and the next one after it. Machines that are administered and
administer (jump hosts) do so before and besides, and go on to servers, which count half.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from analyzer.detectors.administration import PROTOCOLS
from analyzer.detectors.detection import Detection, Detector, Shared, score_on, shared_local_hosts
from analyzer.detectors.lateral_movement import listed, shared_moves
from analyzer.detectors.moves import Chain, chains
from analyzer.findings import Evidence, Severity, duration
from analyzer.parameters import Seconds

if TYPE_CHECKING:
    import pandas as pd

    from analyzer.records import Records

# Moves, to servers counting half -> score.
_CURVE = ((0.0, 0.0), (1.5, 0.5), (2.0, 0.7), (3.0, 0.85), (4.0, 0.9), (6.0, 0.95), (20.0, 0.99))
# Chance of such a chain among hosts that administer others by themselves, and what it leaves.
_LIKELY, _POSSIBLE = 0.1, 0.01
_BY_CHANCE, _PERHAPS = 0.5, 0.75
# Nobody else may have begun by chance; half a host says that this is not certain.
_PRIOR = 0.5


@dataclass(frozen=True, slots=True)
class Parameters:
    """How moves make a chain."""

    gap: Seconds = field(
        default=7200.0, metadata={"meaning": "longest time between two moves of a chain"}
    )


def find(records: Records, parameters: Parameters, shared: Shared) -> Iterator[Detection]:
    """The weightiest chain from each host that begins one."""
    moved = shared_moves(records, shared).rows
    found = [each for each in chains(moved, parameters.gap) if _score(each) >= Severity.LOW.bound]
    if not found:
        return
    seconds = max((records.last or 0.0) - (records.first or 0.0), 1.0)
    hosts = max(shared_local_hosts(records, shared), 1)
    for chain in sorted(found, key=lambda each: each.hosts):
        others = set(moved.orig_h) - set(chain.hosts)
        begins = _PRIOR + len(others)
        # That a host begins by itself within the gap after it was reached.
        rate = min(begins / hosts * min(parameters.gap / seconds, 1.0), 1.0)
        chance = min(begins * rate ** (len(chain.moves) - 1), 1.0)
        yield _detection(chain, moved.iloc[list(chain.moves)], chance)


def _score(chain: Chain) -> float:
    return score_on(chain.weight, _CURVE)


def _detection(chain: Chain, moved: pd.DataFrame, chance: float) -> Detection:
    score = _score(chain)
    if chance > _POSSIBLE:
        score = min(score, _BY_CHANCE if chance > _LIKELY else _PERHAPS)
    protocols = [row[0] for row in moved.protocols]
    names = [PROTOCOLS[index].name for index in sorted(set(protocols))]
    lasted = chain.times[-1] - chain.times[0]
    ports = sorted({row[0] for row in moved.ports})
    return Detection(
        source=chain.hosts[0],
        destination=chain.hosts[1],
        port=ports[0] if len(ports) == 1 else None,
        proto="tcp",
        subject="",
        first=chain.times[0],
        last=chain.times[-1],
        score=score,
        message=f"a chain of {len(chain.moves)} first sessions by {listed(names)} within "
        f"{duration(lasted)}: {chain}",
        evidence=(
            Evidence("chain", str(chain)),
            Evidence("moves", len(chain.moves)),
            Evidence("counting servers half", chain.weight, threshold=2.0),
            Evidence("chance of such a chain", float(f"{chance:.3g}"), threshold=_POSSIBLE),
            Evidence("sent along it", float(moved.bytes_out.sum()), unit="B"),
            Evidence(
                "begun after, s",
                ", ".join(f"{time - chain.times[0]:.0f}" for time in chain.times),
            ),
        ),
        connections=int(moved.connections.sum()),
        technique=PROTOCOLS[min(protocols)].technique,
    )


DETECTOR = Detector("lateral_chain", Parameters, find)
