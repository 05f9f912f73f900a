"""The books."""

from __future__ import annotations

from analyzer.parsers.account import Account, FileAccount


def test_places_of_the_first_few() -> None:
    file = FileAccount("conn.log")
    for line in range(1, 6):
        file.skip("blank line", line)
    file.skip("no number", 9, detail="found 'x'")
    file.skip("elsewhere", None, 4)
    file.skip("never", None, 0)
    assert file.skipped == {"blank line": 5, "no number": 1, "elsewhere": 4}
    assert [str(problem) for problem in file.examples] == [
        "conn.log:1: blank line",
        "conn.log:2: blank line",
        "conn.log:3: blank line",
        "conn.log:9: no number (found 'x')",
    ]


def test_runs_of_lines() -> None:
    few, every = FileAccount("a"), FileAccount("a", keep_all=True)
    for file in (few, every):
        file.skip("reason", 1)
        file.skip_all("reason", 7, lambda index: 10 + index)
        assert file.skipped == {"reason": 8}
    assert [problem.location.line for problem in few.examples] == [1, 10, 11]
    assert [problem.location.line for problem in every.examples] == [1, *range(10, 17)]


def test_remarks_add_up() -> None:
    file = FileAccount("a")
    file.ignore("files")
    file.ignore("files")
    assert (file.note, file.failed) == ("a Zeek files log, not one of conn, dns, ssl, http", False)
    file.remark("broken", failed=True)
    file.ignore("weird")
    assert file.note.endswith("; broken; a Zeek weird log, not one of conn, dns, ssl, http")
    assert file.failed


def test_disowned_file() -> None:
    file = FileAccount("a", lines=3)
    file.skip_all("other", 3, lambda index: index)
    file.disown("files")
    assert (file.lines, file.skipped, file.examples) == (0, {}, [])


def test_sums() -> None:
    first, second = FileAccount("a", lines=3), FileAccount("b", lines=2)
    first.read["conn"] = 2
    second.read["dns"] = 1
    first.skip("x", 3)
    second.skip("x", 7)
    second.remark("broken", failed=True)
    account = Account([first, second])
    assert (account.read, account.skipped, account.lines) == ({"conn": 2, "dns": 1}, {"x": 2}, 5)
    assert list(map(str, account.problems())) == ["b: broken", "a:3: x", "b:7: x"]
