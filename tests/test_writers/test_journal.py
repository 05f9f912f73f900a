"""What a journal says stands in a log, after whatever became of either."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer.writers.journal import Journal

OPENED = 1700000000.5


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / ".notice.journal"


def test_what_was_meant_is_there_as_far_as_the_log_goes(path: Path) -> None:
    journal = Journal(path)
    assert (journal.inode, journal.current, journal.rotated) == (None, (), ())
    journal.intend(7, OPENED, 0, [("a", 10), ("b", 20)])
    journal.intend(7, OPENED, 20, [("c", 30)])
    assert (journal.inode, journal.opened) == (7, OPENED)
    assert journal.current == ("a", "b", "c")
    for size, held in ((30, ("a", "b", "c")), (29, ("a", "b")), (10, ("a",)), (9, ())):
        again = Journal(path)
        assert (again.current, again.opened) == (("a", "b", "c"), OPENED)
        before = path.read_bytes()
        again.settle(size)
        assert again.current == Journal(path).current == held
        assert Journal(path).inode == (7 if held else None)
        path.write_bytes(before)


def test_what_could_not_be_written_is_forgotten(path: Path) -> None:
    journal = Journal(path)
    journal.intend(7, OPENED, 0, [("a", 10)])
    journal.intend(7, OPENED, 10, [("b", 20), ("c", 30)])
    journal.forget(10)
    assert journal.current == ("a",)
    journal.intend(7, OPENED, 10, [("d", 25)])
    assert journal.current == Journal(path).current == ("a", "d")


def test_another_log_of_the_same_name_begins_anew(path: Path) -> None:
    journal = Journal(path)
    journal.intend(7, OPENED, 0, [("a", 10)])
    journal.intend(8, OPENED, 0, [("b", 10)])
    assert (journal.inode, journal.current) == (8, ("b",))
    assert (Journal(path).inode, Journal(path).current) == (8, ("b",))


def test_a_rotated_log_is_the_last_until_the_next(path: Path) -> None:
    journal = Journal(path)
    journal.intend(7, OPENED, 0, [("a", 10)])
    journal.rotate()
    assert (journal.inode, journal.current, journal.rotated) == (None, (), ("a",))
    journal.rotate()
    assert journal.rotated == ("a",)
    journal.intend(7, OPENED, 0, [("b", 10)])
    assert (Journal(path).current, Journal(path).rotated) == (("b",), ("a",))
    journal.rotate()
    assert (Journal(path).current, Journal(path).rotated) == ((), ("b",))
    assert path.stat().st_mode & 0o777 == 0o600


@given(st.data())
def test_a_torn_journal_has_all_before_the_tear(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    path = tmp_path_factory.mktemp("journal") / "journal"
    journal = Journal(path)
    journal.intend(7, OPENED, 0, [("z", 5)])
    journal.rotate()
    sizes = [path.stat().st_size]
    for number, identifier in enumerate("abc"):
        journal.intend(8, OPENED, 10 * number, [(identifier, 10 * number + 10)])
        sizes.append(path.stat().st_size)
    end = data.draw(st.integers(sizes[0], sizes[-1]))
    path.write_bytes(path.read_bytes()[:end])
    torn = Journal(path)
    assert torn.rotated == ("z",)
    assert torn.current == tuple("abc"[: sum(1 for size in sizes[1:] if size <= end)])


@pytest.mark.parametrize(
    "content",
    [
        b"\xff\n",
        b"[]\n",
        b"5\n",
        b'"rotated"\n',
        b'{"log":7}\n',
        b"[" * 100_000 + b"\n",
        b'{"log":"x","opened":1,"start":0,"notices":[["a",1]]}\n',
    ],
)
def test_what_is_no_journal_says_nothing(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    journal = Journal(path)
    assert (journal.current, journal.rotated) == ((), ())
    journal.settle(0)
    journal.intend(7, OPENED, 0, [("a", 1)])
    assert Journal(path).current == ("a",)
