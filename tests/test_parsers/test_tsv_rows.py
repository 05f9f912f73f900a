from collections.abc import Iterator

import pytest

from analyzer.engine import Engine
from analyzer.parsers.account import FileAccount
from analyzer.parsers.blocks import Rows
from analyzer.parsers.header import Header
from analyzer.parsers.spool import Spool
from analyzer.parsers.tsv_rows import TsvLoader

FIELDS = "#fields\tts\tuid\tid.orig_h\tid.resp_h\tproto\tconn_state\torig_bytes"


@pytest.fixture
def engine() -> Iterator[Engine]:
    with Engine() as opened:
        yield opened


def loaded(engine: Engine, rows: bytes, *, unfinished: bool = False) -> FileAccount:
    account = FileAccount("conn.log")
    loader = TsvLoader(engine, account, Header().updated(FIELDS), unfinished=unfinished)
    spool = Spool(engine.directory / "rows", loader.load_spool)
    spool.add(Rows(rows, 9, rows.count(b"\n")))
    spool.flush()
    spool.close()
    return account


def test_a_bad_row_costs_itself_only(engine: Engine) -> None:
    good = b"1.5\tC1\t10.0.0.1\t10.0.0.2\ttcp\tSF\t7\n"
    account = loaded(engine, good + b"1.5\tC2\t10.0.0.1\n" + good)
    assert (account.lines, dict(account.read)) == (3, {"conn": 2})
    assert [(str(p.location), p.reason) for p in account.examples] == [
        ("conn.log:10", "expected the 7 columns of #fields")
    ]
    values = engine.connection.execute("SELECT DISTINCT ts, uid, orig_bytes, resp_p FROM conn")
    assert values.fetchall() == [(1.5, "C1", 7, None)]


def test_unfinished_connections_wait(engine: Engine) -> None:
    account = loaded(engine, b"1.5\tC1\t10.0.0.1\t10.0.0.2\ttcp\tSF\t-\n", unfinished=True)
    assert dict(account.read) == {"conn": 1}
    assert engine.connection.execute("SELECT count(*) FROM conn").fetchall() == [(0,)]
    engine.finish_loading()
    assert engine.connection.execute("SELECT uid, orig_bytes FROM conn").fetchall() == [
        ("C1", None)
    ]
