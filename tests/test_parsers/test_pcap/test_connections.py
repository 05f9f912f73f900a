"""The connection table as a whole: what Zeek logged of real captures, and how it is used."""

from __future__ import annotations

import gzip
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from analyzer.parsers.pcap.addresses import address_texts
from analyzer.parsers.pcap.connections import ConnectionTable
from analyzer.parsers.pcap.container import Capture
from analyzer.parsers.pcap.headers import HeaderDecoder

from .segments import UDP, Segment, batch, rows_of, tcp

COMPARED = (
    "duration", "orig_bytes", "resp_bytes", "conn_state", "missed_bytes", "history", "orig_pkts",
    "orig_ip_bytes", "resp_pkts", "resp_ip_bytes",
)  # fmt: skip

Key = tuple[str, ...]
Cells = tuple[str, ...]


def logged(log: Path) -> Iterator[tuple[Key, Cells]]:
    """Rows of a conn.log: what they are about, and what they say."""
    with (gzip.open if log.suffix == ".gz" else open)(log, "rt", errors="replace") as lines:
        names: list[str] = []
        for line in lines:
            cells = line.rstrip("\n").split("\t")
            if line.startswith("#"):
                names = cells[1:] if cells[0] == "#fields" else names
                continue
            row = dict(zip(names, cells, strict=True))
            key = tuple(row[name] for name in ("id.orig_h", "id.orig_p", "id.resp_h", "id.resp_p"))
            time = f"{float(row['ts']):.5f}"
            yield (time, *key, row["ip_proto"]), tuple(row[name] for name in COMPARED)


def followed(capture: Path) -> Iterator[tuple[Key, Cells]]:
    """The same of what a table makes of a capture."""
    table, decoder = ConnectionTable(), HeaderDecoder()
    flows = [
        (table.add(decoder.decode(packets), packets.times) for packets in Capture("", capture)),
        (table.finish() for _ in range(1)),
    ]
    for flow in (flow for part in flows for flow in part):
        slots = flow.ended
        said = table.columns(slots)
        unset = ~said.has_duration
        numbers: list[list[str]] = [
            np.where(unset, "-", column.astype(str)).tolist()
            for column in (said.orig_bytes, said.resp_bytes)
        ]
        ends = [
            address_texts(
                table.field(f"{role}_high")[slots],  # type: ignore[arg-type]
                table.field(f"{role}_low")[slots],  # type: ignore[arg-type]
            ).to_pylist()
            for role in ("originator", "responder")
        ]
        ports = [
            table.field(f"{role}_port")[slots].astype(str).tolist()
            for role in ("originator", "responder")
        ]
        times = [f"{time:.5f}" for time in table.field("first_time")[slots].tolist()]
        protocols = table.field("protocol")[slots].astype(str).tolist()
        keys = zip(times, ends[0], ports[0], ends[1], ports[1], protocols, strict=True)
        cells = zip(
            ["-" if none else f"{d:.6f}" for d, none in zip(said.durations, unset, strict=True)],
            *numbers,
            [state.decode() for state in said.conn_states.tolist()],
            said.missed_bytes.astype(str).tolist(),
            [history.decode() or "-" for history in said.histories.tolist()],
            *(
                column.astype(str).tolist()
                for column in (
                    said.orig_pkts, said.orig_ip_bytes, said.resp_pkts, said.resp_ip_bytes,
                )
            ),
            strict=True,
        )  # fmt: skip
        yield from zip(keys, cells, strict=True)


def captures(golden: Path, data: Path) -> Iterator[tuple[Path, Path]]:
    for directory in sorted(golden.iterdir()):
        found = [*directory.glob("capture.*"), *data.glob(f"pcap/{directory.name}*")]
        logs = [*directory.glob("conn.log*")]
        if found and logs:
            yield found[0], logs[0]


def are_equal(one: Cells, other: Cells) -> bool:
    """Whether two rows say the same; durations are rounded in several ways."""
    if one[1:] != other[1:]:
        return False
    if "-" in (one[0], other[0]):
        return one[0] == other[0]
    return abs(float(one[0]) - float(other[0])) < 2e-6


def test_connections_are_zeeks(golden: Path, data: Path) -> None:
    totals: Counter[str] = Counter()
    for capture, log in captures(golden, data):
        expected: defaultdict[Key, list[Cells]] = defaultdict(list)
        for key, cells in logged(log):
            expected[key].append(cells)
        count = sum(map(len, expected.values()))
        extra = equal = 0
        for key, cells in followed(capture):
            same = [row for row in expected[key] if are_equal(row, cells)]
            if same:
                expected[key].remove(same[0])
                equal += 1
            else:
                extra += 1
        totals.update(rows=count, equal=equal, extra=extra, captures=1, exact=count == equal)
        totals["exact"] -= count == equal and extra > 0
    assert totals["captures"] >= 400
    # What is left are letters of protocols that are not parsed here.
    assert totals["exact"] >= 0.993 * totals["captures"]
    assert totals["rows"] - totals["equal"] <= 5
    assert totals["extra"] <= 5


@pytest.mark.parametrize("slots", [1, 7, 100])
def test_a_table_that_grows_says_the_same(slots: int) -> None:
    segments = [Segment(1 + k / 100, 7 * k % 41, 99, protocol=UDP) for k in range(500)]
    table = ConnectionTable(slots)
    table.add(batch(segments))
    assert table.open == 41
    found = rows_of(table, table.finish())
    assert [row.packets[0] for row in found] == [13] * 8 + [12] * 33
    assert table.open == 0


def test_a_table_goes_on_after_its_end() -> None:
    table = ConnectionTable(4)
    table.add(batch(tcp("1 > S 0 0\n 1.1 < SA 0 1")))
    assert [row.conn_state for row in rows_of(table, table.finish())] == ["S1"]
    table.add(batch(tcp("2 > S 0 0")))
    assert [row.conn_state for row in rows_of(table, table.finish())] == ["S0"]
    assert table.finish().ended.size == 0


def test_slots_stay_valid_until_the_next_batch() -> None:
    table = ConnectionTable(1)
    segment = Segment(1, protocol=UDP)
    flow = table.add(batch([segment._replace(time=1 + 61 * k) for k in range(50)]))
    assert flow.ended.size == len(set(flow.ended.tolist())) == 49
    assert table.field("first_time")[flow.ended].tolist() == [1 + 61 * k for k in range(49)]
    assert table.uids(flow.ended).tolist() == table.uids(flow.ended).tolist()
    assert len(set(table.uids(flow.ended).tolist())) == 49


def test_any_order_of_slots() -> None:
    table = ConnectionTable(4)
    segments = [Segment(1 + k, k, 99, 1_000 + k, protocol=UDP, payload=bytes(k)) for k in range(9)]
    table.add(batch([*segments, *(s._replace(time=20.0) for s in segments)]))
    slots = table.finish().ended[::-1]
    assert table.columns(slots).orig_bytes.tolist() == [2 * k for k in range(8, -1, -1)]
    assert table.field("originator_port")[slots].tolist() == [1_008 - k for k in range(9)]
    assert table.columns(slots[:0]).orig_bytes.size == 0
