"""The captures that are shipped as samples: an office's traffic, attacks in it, packet by packet.

Everything follows from the captures' names, so that they come out the same every time.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.traffic import captures_attacks as attacks
from tests.traffic.captures_benign import office_work
from tests.traffic.captures_office import Office
from tests.traffic.captures_wire import WHOLE
from tests.traffic.schedule import HOUR, MONDAY
from tests.traffic.truth import Truth


@dataclass(frozen=True)
class Sample:
    """How one capture comes about.

    `hour` is when on Monday it begins and `hours` how long it takes; `visits` to web sites and
    `errands` to the office's servers are what people do in that time; `snap` is the snap length.
    """

    hour: float
    hours: float
    visits: int
    errands: int
    attack: attacks.Attack | None = None
    snap: int = WHOLE

    def write(self, file: Path) -> list[Truth]:
        """Write the capture, and say what was done in it that a detector should find."""
        office = Office(file.stem, MONDAY + self.hour * HOUR, self.hours * HOUR)
        office_work(office, visits=self.visits, errands=self.errands)
        truth = self.attack(office) if self.attack else []
        office.wire.write(file, self.snap)
        return truth


SAMPLES = {
    "office_hour": Sample(10, 1, visits=22, errands=24),
    "address_scan": Sample(11, 0.25, visits=6, errands=8, attack=attacks.address_scan),
    "port_scan": Sample(11.5, 0.25, visits=6, errands=8, attack=attacks.port_scan),
    "dns_tunnel": Sample(13, 0.4, visits=6, errands=8, attack=attacks.dns_tunnel),
    "dga": Sample(14, 0.6, visits=8, errands=8, attack=attacks.dga),
    "beacon": Sample(8, 8, visits=9, errands=12, attack=attacks.beacon),
    "exfiltration": Sample(15, 1.1, visits=12, errands=12, attack=attacks.exfiltration, snap=96),
    "lateral_movement": Sample(16, 0.5, visits=6, errands=8, attack=attacks.lateral_movement),
    "brute_force": Sample(17, 0.35, visits=6, errands=8, attack=attacks.brute_force),
}
"""The captures by name."""


def main(arguments: list[str] | None = None) -> int:
    """Write the captures to a directory."""
    parser = argparse.ArgumentParser(prog="python -m tests.traffic.captures", description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="directory to write to")
    parser.add_argument(
        "--only", action="append", choices=sorted(SAMPLES), metavar="NAME", help="not all of them"
    )
    given = parser.parse_args(arguments)
    given.out.mkdir(parents=True, exist_ok=True)
    for name in given.only or SAMPLES:
        file = given.out / f"{name}.pcap"
        SAMPLES[name].write(file)
        sys.stdout.write(f"{file}: {file.stat().st_size} bytes\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
