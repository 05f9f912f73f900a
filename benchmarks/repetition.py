"""Large captures out of small ones: all their Ethernet packets, again and again, later each time.

``python -m benchmarks.repetition --out FILE --packets N CAPTURE ...`` writes a classic capture. The
captures begin one after another within :data:`SPREAD_SECONDS` and overlap; once the last has ended,
a pause follows that is longer than any connection waits, and all of it begins anew. FILE.json says
what is in it. The excerpt holds every so manieth packet of one repetition.
"""

from __future__ import annotations

import argparse
import json
import struct
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from analyzer.parsers.pcap.container import Capture

SPREAD_SECONDS = 600.0
LONGEST_SECONDS = 3600.0
"""Packets that come later in their capture, or before its first, come at this time, or with it."""

PAUSE_SECONDS = 900
FIRST_SECOND = 1_700_000_000

EXCERPT_PACKETS = 20_000

_ETHERNET = 1
_FILE_HEADER = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 1 << 18, _ETHERNET)
_RECORD = struct.Struct("<IIII")
_MICROSECONDS = 1_000_000
_DNS_PORT = (53).to_bytes(2)
_IPV4, _IPV6, _UDP = b"\x08\x00", b"\x86\xdd", 17


@dataclass(frozen=True, slots=True)
class Packet:
    """One packet: seconds since all began, bytes of it, how many it had on the wire."""

    time: float
    data: bytes
    wire: int

    def record(self) -> bytes:
        """As in a classic capture."""
        ticks = round(self.time * _MICROSECONDS)
        second, fraction = divmod(ticks, _MICROSECONDS)
        head = _RECORD.pack(FIRST_SECOND + second, fraction, len(self.data), self.wire)
        return head + self.data

    @property
    def is_dns(self) -> bool:
        """Whether it is a datagram to or from port 53."""
        kind = self.data[12:14]
        if kind == _IPV4:
            protocol, start = self.data[23:24], 14 + 4 * (self.data[14] & 15)
        elif kind == _IPV6:
            protocol, start = self.data[20:21], 54
        else:
            return False
        ports = self.data[start : start + 4]
        return protocol == bytes([_UDP]) and _DNS_PORT in (ports[:2], ports[2:])


def packets_of(path: Path, begin: float) -> list[Packet]:
    """The Ethernet packets of a capture, which begins so many seconds after all began."""
    found: list[Packet] = []
    first = None
    for batch in Capture(path.name, path):
        first = batch.times[0] if first is None and batch.times.size else first
        data = batch.data.data
        rows = zip(
            batch.times.tolist(), batch.starts.tolist(), batch.captured.tolist(),
            batch.wire.tolist(), batch.links.tolist(), strict=True,
        )  # fmt: skip
        for time, start, captured, wire, link in rows:
            if link == _ETHERNET:
                after = min(max(0.0, time - first), LONGEST_SECONDS)
                found.append(Packet(begin + after, bytes(data[start : start + captured]), wire))
    return found


def once(paths: Sequence[Path]) -> list[Packet]:
    """All packets of all captures, in order of time."""
    found: list[Packet] = []
    for number, path in enumerate(paths):
        found += packets_of(path, SPREAD_SECONDS * number / len(paths))
    found.sort(key=lambda packet: packet.time)
    return found


def write(packets: Sequence[Packet], repetitions: int, path: Path) -> int:
    """Write them so many times, and say how many bytes that made."""
    records = [packet.record() for packet in packets]
    sizes = np.array([len(record) for record in records])
    places = (np.cumsum(sizes) - sizes)[:, np.newaxis] + np.arange(4)
    content = np.frombuffer(b"".join(records), np.uint8).copy()
    seconds = content[places].view("<u4")
    step = int(packets[-1].time) + PAUSE_SECONDS
    with path.open("wb") as file:
        written = file.write(_FILE_HEADER)
        for _ in range(repetitions):
            written += file.write(content.data)
            seconds += np.uint32(step)
            content[places] = _bytes(seconds)
    return written


def _bytes(seconds: npt.NDArray[np.uint32]) -> npt.NDArray[np.uint8]:
    return seconds.view(np.uint8)


def main(arguments: list[str] | None = None) -> int:
    """Write what the arguments say."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.repetition", description=__doc__)
    add = parser.add_argument
    add("captures", nargs="+", type=Path, metavar="CAPTURE")
    add("--out", type=Path, required=True, metavar="FILE", help="the capture to write")
    add("--packets", type=int, default=1, help="at least so many")
    add("--bytes", type=int, default=1, help="at least so many")
    add("--excerpt", type=Path, metavar="FILE", help="the excerpt to write, if any")
    options = parser.parse_args(arguments)
    packets = once(sorted(options.captures))
    if not packets:
        print("benchmarks: no Ethernet packets", file=sys.stderr)
        return 1
    size = sum(len(packet.data) + _RECORD.size for packet in packets)
    repetitions = max(-(-options.packets // len(packets)), -(-options.bytes // size))
    told = {
        "packets": repetitions * len(packets),
        "dns": repetitions * sum(packet.is_dns for packet in packets),
        "bytes": write(packets, repetitions, options.out),
    }
    if options.excerpt is not None:
        part = packets[:: max(1, len(packets) // EXCERPT_PACKETS)]
        write(part, 1, options.excerpt)
        told["excerpt"] = len(part)
    # What is said to be in a file is written last.
    options.out.with_name(options.out.name + ".json").write_text(json.dumps(told))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
