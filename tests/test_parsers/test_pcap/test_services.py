"""What conn.log's ``service`` becomes, from events to names."""

from __future__ import annotations

import csv
import gzip
import os
import subprocess
import sys
from collections import Counter, defaultdict
from pathlib import Path
from typing import TextIO

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.parsers.pcap import services as module
from analyzer.parsers.pcap.byte_stream import ByteStream
from analyzer.parsers.pcap.container import Capture
from analyzer.parsers.pcap.reading import CaptureReader
from analyzer.parsers.pcap.service_names import SERVICES
from analyzer.parsers.pcap.services import ServiceIdentifier
from analyzer.parsers.pcap.signatures import TCP_READERS, UDP_READERS

from .conversations import HELLO, SERVER_HELLO, client_hello, record
from .flow_batches import UDP, Flow, Slots, batch, names, services
from .test_signatures import OPENINGS, sent

LONG_HELLO = record(client_hello(b"long.example.com", padding=1700))
REQUEST = b"GET / HTTP/1.1\r\nHost: www.example.com:8080\r\n\r\n"
RESPONSE = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def test_nothing() -> None:
    found = Flow(Slots()).observed()
    assert services(found, 0, 63) == [None, None]
    assert names(found, 0, 63) == [None, None]
    assert services(found) == names(found) == []


def test_web() -> None:
    flow = Flow(Slots()).client(0, REQUEST).client(1, HELLO).server(1, SERVER_HELLO)
    flow.server(0, RESPONSE).client(1, b"\x17\x03\x03\x00\x02ab").end(0, 1)
    found = flow.observed()
    assert services(found, 0, 1, 2) == ["http", "ssl", None]
    assert names(found, 1, 0, 2) == ["www.example.com", "www.example.com", None]


@pytest.mark.parametrize(
    "sizes", [(5,), (1, 1, 1), (100,), (1460,), (9, 1000, 600), (len(LONG_HELLO) - 1,)]
)
@pytest.mark.parametrize("together", [None, 1])
def test_a_split_client_hello(sizes: tuple[int, ...], together: int | None) -> None:
    pieces, rest = [], LONG_HELLO
    for size in sizes:
        pieces.append(rest[:size])
        rest = rest[size:]
    flow = Flow(Slots()).client(0, *pieces, rest).server(0, SERVER_HELLO)
    found = flow.observed(together)
    assert services(found, 0) == ["ssl"]
    assert names(found, 0) == ["long.example.com"]


def test_a_client_hello_byte_by_byte() -> None:
    flow = Flow(Slots()).client(0, *(bytes([byte]) for byte in HELLO)).server(0, SERVER_HELLO)
    assert names(flow.observed(), 0) == names(flow.observed(7), 0) == ["www.example.com"]


@pytest.mark.parametrize("port", [443, 40001])
def test_a_split_client_hello_out_of_order(port: int) -> None:
    slots = Slots()
    slots.responder_port[:] = port
    flow = Flow(slots)
    flow.at(0, 100, LONG_HELLO[100:1000], is_originator=1)
    flow.at(0, 0, LONG_HELLO[:100], is_originator=1)
    flow.at(0, 900, LONG_HELLO[900:], is_originator=1).server(0, SERVER_HELLO)
    flow.at(1, 0, LONG_HELLO[:100], is_originator=1)
    flow.at(1, 1000, LONG_HELLO[1000:], is_originator=1)
    flow.at(1, 100, LONG_HELLO[100:1000], is_originator=1).server(1, SERVER_HELLO)
    found = flow.observed()
    assert services(found, 0, 1) == ["ssl", "ssl"]
    assert names(found, 0, 1) == ["long.example.com", "long.example.com"]


def test_a_split_client_hello_with_a_hole() -> None:
    flow = Flow(Slots())
    flow.at(0, 0, LONG_HELLO[:100], is_originator=1).gap(0, 100, 900, is_originator=1)
    flow.at(0, 1000, LONG_HELLO[1000:], is_originator=1).server(0, SERVER_HELLO).end(0)
    flow.at(1, 0, LONG_HELLO[:100], is_originator=1, missing=1600).server(1, SERVER_HELLO).end(1)
    found = flow.observed()
    assert services(found, 0, 1) == [None, None]
    assert names(found, 0, 1) == [None, None]


def test_a_split_client_hello_that_is_none() -> None:
    flow = Flow(Slots()).client(0, HELLO[:50], b"\xff" * 200).server(0, b"what?\r\n")
    flow.client(1, HELLO[:50]).server(1, b"HTTP/1.1 400 Bad Request\r\n").client(1, HELLO[50:])
    flow.client(2, b"\x16\x03\x01\xff\xff\x01", HELLO)
    found = flow.observed()
    assert services(found, 0, 2) == [None, None]


def test_an_answer_to_a_split_client_hello_that_is_none() -> None:
    flow = Flow(Slots()).client(0, HELLO[:50], HELLO[50:])
    for size in (None, 1, 2, 3):
        wrong = flow.observed(size)
        assert services(wrong, 0) == ["ssl"]
    flow.server(0, b"HTTP/1.1 400 Bad Request\r\n")
    for size in (None, 1, 2, 3):
        assert services(flow.observed(size), 0) == [None]


def test_a_request_in_two_segments() -> None:
    flow = Flow(Slots()).client(0, REQUEST[:7], REQUEST[7:]).server(0, RESPONSE)
    found = flow.observed()
    assert services(found, 0) == ["http"]
    assert names(found, 0) == ["www.example.com"]


def test_partial_connections() -> None:
    slots = Slots()
    slots.is_partial[:] = 1
    slots.responder_port[:2] = 443, 25
    flow = Flow(slots).client(0, HELLO).server(0, SERVER_HELLO)
    flow.client(1, b"EHLO me\r\n").server(1, b"250 x\r\n")
    assert services(flow.observed(), 0, 1) == [None, "smtp"]


def test_web_sockets() -> None:
    reply = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: x\r\n\r\n"
    flow = Flow(Slots()).client(0, REQUEST).server(0, reply, b"\x81\x02hi").end(0)
    for size in (None, 1):
        assert services(flow.observed(size), 0) == ["http,websocket"]


def test_several_in_turn() -> None:
    slots = Slots()
    slots.responder_port[:] = 25
    flow = Flow(slots).server(0, b"220 x\r\n").client(0, b"EHLO me\r\n", b"STARTTLS\r\n")
    flow.server(0, b"250 STARTTLS\r\n220 go\r\n").client(0, HELLO).server(0, SERVER_HELLO)
    for size in (None, 1, 3):
        found = flow.observed(size)
        assert services(found, 0) == ["smtp,ssl"]
        assert names(found, 0) == ["www.example.com"]


def test_names_of_nobody() -> None:
    flow = Flow(Slots())
    hosts = [b"<b>", b"[::1]", b"", b"a.example\x00", b" " * 300 + b"a", b"A.example."]
    for slot, host in enumerate(hosts):
        flow.client(slot, b"GET / HTTP/1.1\r\nHost: " + host + b"\r\n\r\n")
        flow.client(slot + 10, record(client_hello(host)))
    found = flow.observed()
    for first in (0, 10):
        assert names(found, *range(first, first + 6)) == [*[None] * 5, "a.example"]


def test_many_names(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MOST_TEXTS", 3)
    flow = Flow(Slots())
    for slot in range(10):
        flow.client(slot, record(client_hello(b"%d.example" % slot)))
    assert names(flow.observed(), *range(10)) == [f"{slot}.example" for slot in range(10)]


def confirmed(identifier: ServiceIdentifier, *slots: int) -> list[str | None]:
    identifier.confirm(np.array(slots, np.int64), "dns")
    return services(identifier, *slots)


def test_dns_is_confirmed_by_others() -> None:
    slots = Slots()
    slots.protocol[1] = UDP
    slots.responder_port[1] = 53
    flow = Flow(slots).client(0, REQUEST).client(1, b"\x00" * 30).end(0, 1)
    assert confirmed(flow.observed(), 0, 1, 1, 2) == ["http,dns", "dns", "dns", "dns"]
    assert confirmed(ServiceIdentifier()) == []


def test_dns_stays_where_readers_go_on() -> None:
    slots = Slots()
    slots.responder_port[:] = 25
    first = Flow(slots).server(0, b"220 x\r\n").client(0, b"EHLO me\r\n")
    identifier = first.observed()
    assert confirmed(identifier, 0) == ["smtp,dns"]
    rest = first.client(0, b"STARTTLS\r\n").server(0, b"250 x\r\n220 x\r\n").client(0, HELLO)
    identifier.observe(batch(rest.happened[2:]), slots)
    assert services(identifier, 0) == ["smtp,dns,ssl"]


def test_what_is_withdrawn() -> None:
    slots = Slots()
    slots.responder_port[:] = 25
    flow = Flow(slots).server(0, b"220 x\r\n").client(0, b"EHLO me\r\n").client(1, b"x\r\n")
    identifier = flow.observed()
    assert confirmed(identifier, 0, 1, 2) == ["smtp,dns", "dns", "dns"]
    identifier.withdraw(np.array([0, 1, 3]), "dns")
    assert services(identifier, 0, 1, 2, 3) == ["smtp", None, "dns", None]
    rest = flow.client(0, b"NOOP\r\n").client(1, b"y\r\n")
    identifier.observe(batch(rest.happened[3:]), slots)
    assert services(identifier, 0, 1) == ["smtp", None]


def test_no_such_service() -> None:
    with pytest.raises(KeyError):
        Flow(Slots()).observed().confirm(np.array([0]), "gopher")


def transfers(passive: bytes, *, begun: float = 5.0) -> Flow:
    """A control connection in slot 0 and one that may be for data in slot 1."""
    slots = Slots()
    slots.responder_port[:2] = 21, 1025
    slots.originator_high[:2] = slots.responder_high[:2] = 0
    slots.responder_low[:] = 0xFFFF0A000002
    slots.first_time[1] = begun
    flow = Flow(slots).server(0, b"220 x\r\n").client(0, b"USER me\r\n").server(0, b"331 x\r\n")
    flow.client(0, b"PASV\r\n", time=1.0).server(0, passive, time=2.0)
    return flow.server(1, b"-rw-r--r--\r\n", time=6.0)


def test_data_of_ftp() -> None:
    flow = transfers(b"227 Entering Passive Mode (10,0,0,2,4,1)\r\n")
    assert services(flow.end(1).observed(), 0, 1) == ["ftp", "ftp-data"]


@pytest.mark.parametrize(
    ("passive", "begun"),
    [
        (b"227 Entering Passive Mode (10,0,0,2,4,2)\r\n", 5.0),
        (b"227 Entering Passive Mode (10,0,0,3,4,1)\r\n", 5.0),
        (b"227 Entering Passive Mode (10,0,0,2,4,1)\r\n", 1.0),
        (b"227 Entering Passive Mode (10,0,0,2,4,1)\r\n", 400.0),
        (b"425 no\r\n", 5.0),
    ],
)
def test_what_was_not_agreed_upon(passive: bytes, begun: float) -> None:
    flow = transfers(passive, begun=begun).end(1)
    assert services(flow.observed(), 0, 1) == ["ftp", None]


def test_slots_are_used_again() -> None:
    slots = Slots()
    slots.responder_port[:] = 25
    flow = Flow(slots).client(0, REQUEST).client(1, b"EHLO me\r\n").server(2, b"220 x\r\n")
    flow.client(3, HELLO[:50]).end(0, 1, 2, 3)
    identifier = flow.observed()
    assert services(identifier, 0, 1, 2, 3) == ["http", "smtp", None, None]
    again = Flow(slots).client(2, b"EHLO me\r\n").client(1, b"x\r\n").client(3, HELLO[50:]).end(2)
    identifier.observe(again.batches()[0], slots)
    assert services(identifier, 0, 1, 2, 3) == [None, None, "smtp", None]
    identifier.observe(Flow(slots).batches()[0], slots)
    assert services(identifier, 2) == [None]


def test_names_are_gone_with_their_connections() -> None:
    slots = Slots()
    identifier = Flow(slots).client(0, REQUEST).client(1, HELLO).end(0).observed()
    assert names(identifier, 0, 1) == ["www.example.com", "www.example.com"]
    identifier.observe(Flow(slots).end(1).batches()[0], slots)
    assert names(identifier, 0, 1) == [None, "www.example.com"]


def test_more_slots() -> None:
    identifier = Flow(Slots(4)).client(0, HELLO).observed()
    identifier.observe(Flow(Slots(100)).client(99, HELLO).batches()[0], Slots(100))
    assert services(identifier, 0, 50, 99) == ["ssl", None, "ssl"]


def test_what_is_followed_longest_is_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_FOLLOWED", 2)
    slots = Slots()
    slots.responder_port[:] = 25
    flow = Flow(slots)
    for slot in range(4):
        flow.server(slot, b"220 x\r\n")
    for slot in range(4):
        flow.client(slot, b"EHLO me\r\n")
    identifier = flow.observed()
    assert services(identifier, 0, 1, 2, 3) == [None, None, "smtp", "smtp"]
    assert identifier.let_go == 2


def test_client_hellos_that_never_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_FOLLOWED", 2)
    flow = Flow(Slots())
    for slot in range(5):
        flow.client(slot, HELLO[:50])
    for slot in range(5):
        flow.client(slot, HELLO[50:])
    identifier = flow.observed()
    assert services(identifier, *range(5)) == [None, None, None, "ssl", "ssl"]
    assert identifier.let_go == 3


def test_ended_connections_make_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_FOLLOWED", 2)
    slots = Slots()
    slots.responder_port[:] = 25
    identifier = ServiceIdentifier()
    for slot in range(20):
        flow = Flow(slots).server(slot, b"220 x\r\n").end(slot)
        flow.client(slot + 30, HELLO[:50]).end(slot + 30)
        identifier.observe(flow.batches()[0], slots)
    assert identifier.let_go == 0


PORTS = [*TCP_READERS, *UDP_READERS, 53, 40001]


@st.composite
def flows(draw: st.DrawFn) -> Flow:
    slots = Slots(6)
    for slot in range(6):
        slots.protocol[slot] = draw(st.sampled_from([6, 6, 17, 1]))
        slots.responder_port[slot] = draw(st.sampled_from(PORTS))
        slots.is_partial[slot] = draw(st.sampled_from([0, 0, 0, 1]))
    flow = Flow(slots)
    for _ in range(draw(st.integers(0, 12))):
        slot, side = draw(st.integers(0, 5)), draw(st.integers(0, 1))
        what = draw(st.integers(0, 9))
        if what == 0:
            flow.gap(slot, draw(st.integers(0, 50)), draw(st.integers(1, 50)), is_originator=side)
        elif what == 1:
            data, missing = draw(sent()), draw(st.integers(0, 20))
            flow.at(slot, draw(st.integers(0, 300)), data, is_originator=side, missing=missing)
        elif side:
            flow.client(slot, draw(sent()))
        else:
            flow.server(slot, draw(sent()))
    return flow.end(*range(6))


@settings(deadline=None)
@given(flows(), st.integers(1, 5))
def test_anything(flow: Flow, size: int) -> None:
    slots = range(6)
    at_once = flow.observed()
    found = services(at_once, *slots)
    for names_of_one in found:
        assert names_of_one is None or set(names_of_one.split(",")) <= set(SERVICES)
    # In batches: all the same, but that connections end in the last.
    identifier = ServiceIdentifier()
    for start in range(0, len(flow.happened) - 6, size):
        events = flow.happened[start : min(start + size, len(flow.happened) - 6)]
        identifier.observe(batch(events), flow.slots)
    identifier.observe(batch(flow.happened[-6:]), flow.slots)
    assert services(identifier, *slots) == found
    assert names(identifier, *slots) == names(at_once, *slots)


def test_nothing_is_read_beyond_the_end(tmp_path: Path) -> None:
    directory = Path(__file__).parent
    tests = [directory / "test_services.py", directory / "test_openings.py"]
    run = subprocess.run(  # noqa: S603 - our own tests
        [sys.executable, "-m", "pytest", "-q", "-n0", "-p", "no:cacheprovider", "-k",
         "anything or elsewhere or split or no_", *map(str, tests)],
        env=os.environ | {"NUMBA_BOUNDSCHECK": "1", "NUMBA_CACHE_DIR": str(tmp_path)},
        cwd=directory.parents[2], capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert run.returncode == 0, run.stdout


LACKING = {"quic", "ldap_tcp", "ldap_udp", "postgresql", "redis"}
"""Analyzers that the Zeek lacked that the logs are of."""

DIFFERENT = {
    ("-", "http"): 2,  # a request in a SYN; one that somebody else answers, too
    ("-", "ssl"): 2,  # made wrong after the handshake
    ("-", "syslog"): 1,  # the other half of Zeek's Syslog analyzers says so, too
    ("ftp,ssl,gridftp", "ftp"): 1,
    ("gssapi,smb,ntlm,dce_rpc", "gssapi,smb,ntlm"): 1,  # beyond the stream's head
    ("krb", "-"): 1,
}


def open_log(log: Path) -> TextIO:
    packed = log.with_name(log.name + ".gz")
    if packed.exists():
        return gzip.open(packed, "rt", encoding="utf-8")
    return log.open(encoding="utf-8")


def zeek(log: Path) -> list[tuple[str, ...]]:
    """Time, ends and services of each connection over TCP or UDP."""
    rows: list[tuple[str, ...]] = []
    fields: list[str] = []
    with open_log(log) as lines:
        for line in csv.reader(lines, delimiter="\t", quoting=csv.QUOTE_NONE):
            if line[0] == "#fields":
                fields = line[1:]
            elif not line[0].startswith("#"):
                row = dict(zip(fields, line, strict=True))
                if row["proto"] in ("tcp", "udp"):
                    ends = (row["id.orig_h"], row["id.orig_p"], row["id.resp_h"], row["id.resp_p"])
                    rows.append((f"{float(row['ts']):.5f}", *ends, row["service"]))
    return rows


def ours(capture: Path) -> dict[tuple[str, ...], list[str]]:
    """Likewise, by our own reading: services by the rest."""
    found: dict[tuple[str, ...], list[str]] = defaultdict(list)
    with capture.open("rb") as file:
        for rows in CaptureReader([Capture(capture.name, ByteStream(file))]):
            columns = ["orig_h", "orig_p", "resp_h", "resp_p", "service"]
            times = rows.conn.column("ts").to_pylist()
            values = [rows.conn.column(name).to_pylist() for name in columns]
            for time, *ends, service in zip(times, *values, strict=True):
                found[f"{time:.5f}", *map(str, ends)].append(service or "-")
    return found


def test_services_are_those_of_zeek(golden: Path) -> None:
    different: Counter[tuple[str, str]] = Counter()
    right = 0
    for capture in sorted(golden.glob("*/capture*")):
        found = ours(capture)
        for *key, service in zeek(capture.parent / "conn.log"):
            mine = found[tuple(key)].pop(0)
            if mine == service:
                right += 1
            elif not LACKING & set(mine.split(",")):
                different[service, mine] += 1
    assert different == DIFFERENT
    assert right > 2_300


def test_every_opening_is_an_example() -> None:
    assert len(set(OPENINGS)) == len(OPENINGS)
