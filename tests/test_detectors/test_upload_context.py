"""What stands around an upload."""

from __future__ import annotations

import pytest

from analyzer.detectors import Shared
from analyzer.detectors.transfers import Transfer
from analyzer.detectors.upload_context import contexts

from . import START, Row, connection, holding
from .test_transfers import rows_of

HOST, SERVER = "10.0.0.5", "203.0.113.9"


def sent(second: float, source: str, destination: str, size: int, port: int = 443) -> Row:
    row = connection(second, source, destination, port)
    return row | {"orig_bytes": size, "resp_bytes": 10}


def test_context() -> None:
    conn = [
        sent(0, HOST, "198.51.100.1", 1000),
        sent(100, HOST, SERVER, 2000),
        sent(5000, HOST, SERVER, 30_000_000),
        sent(9000, HOST, "198.51.100.2", 500),
        sent(200, "10.0.0.6", SERVER, 700),
        sent(200, "10.0.0.7", SERVER, 900),
        sent(300, "10.0.0.6", HOST, 4000),
        sent(300, "10.0.0.7", HOST, 4000),
        sent(300, "10.0.0.8", HOST, 0),
    ]
    rows = rows_of((START + 5000, 30e6))
    transfer = Transfer(HOST, "example.com", rows, likes=0, clock_likes=0)
    with holding(conn) as records:
        (context,) = contexts(records, [transfer], {SERVER: "example.com"}, Shared())
        assert contexts(records, [], {}, Shared()) == []
    assert (context.hosts, context.others, context.others_sent) == (4, 2, (900.0, 700.0))
    assert context.collected == 8000.0
    assert context.contributors == pytest.approx(2.0)
    assert context.sent_in_all == 30_003_500.0
    assert (context.met - START, context.seen - START, context.seen_last - START) == (100, 0, 9000)
    assert not context.swarm
    assert context.lookups == 0.0


def test_file_sharing_is_a_swarm() -> None:
    conn = [sent(k, HOST, f"198.51.100.{k}", 9000, 20_000 + k % 30) for k in range(60)]
    transfer = Transfer(HOST, "198.51.100.0/24", rows_of((START, 9000.0)), likes=0, clock_likes=0)
    with holding(conn) as records:
        (context,) = contexts(records, [transfer], {}, Shared())
    assert context.swarm
    with holding([row | {"resp_p": 443} for row in conn]) as records:
        (context,) = contexts(records, [transfer], {}, Shared())
    assert not context.swarm
