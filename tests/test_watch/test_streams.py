"""How a log is known, and the header that its next row stands under."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from analyzer.watch.streams import (
    HEAD_SIZE,
    Stream,
    Streams,
    digest,
    header_after,
    identifying_size,
    tsv_kind,
)

HEADER = (
    b"#separator \\x09\n#set_separator\t,\n#path\tconn\n#open\t2026\n#fields\tts\tuid\n"
    b"#types\ta\tb\n"
)
KEPT = b"#separator \\x09\n#set_separator\t,\n#path\tconn\n#fields\tts\tuid\n"


def stream(begins: bytes, number: int = 1) -> Stream:
    size = identifying_size(begins)
    return Stream(number=number, kind="json", head=digest(begins[:size]), head_size=size)


def test_a_header_alone_tells_nothing() -> None:
    assert identifying_size(HEADER) == 0
    assert identifying_size(HEADER + b"1.0\tC") == 0
    assert identifying_size(HEADER + b"\n1.0\tC1\n2.0") == len(HEADER) + 8


def test_no_more_than_the_beginning_counts() -> None:
    assert identifying_size(b"x" * (HEAD_SIZE - 1)) == 0
    assert identifying_size(b"x" * HEAD_SIZE) == HEAD_SIZE
    assert identifying_size(b"x" * HEAD_SIZE + b"\n") == HEAD_SIZE
    assert identifying_size(b"x\n" * HEAD_SIZE) == 2


@given(st.integers(0, 300))
def test_a_log_is_known_by_any_beginning_that_suffices(size: int) -> None:
    whole = HEADER + b"1.0\tC1\n" + b"2.0\tC2\n" * 30
    assert identifying_size(whole[:size]) in {0, identifying_size(whole)}


def test_it_is_told_from_others() -> None:
    assert stream(b"{1}\n{2}\n").is_begun_by(b"{1}\n{3}")
    assert not stream(b"{1}\n{2}\n").is_begun_by(b"{2}\n{3}")
    assert not stream(b"{1}\n{2}\n").is_begun_by(b"{1}")


def test_reading_moves_it() -> None:
    after = stream(b"{}\n").after(b"{}\n{}\n", 2, "conn.log", 5.0)
    assert (after.offset, after.lines, after.path, after.touched) == (6, 2, "conn.log", 5.0)
    assert after.header == b""


def test_the_header_in_force() -> None:
    assert header_after(b"", HEADER + b"1\tC1\n") == KEPT
    assert header_after(KEPT, b"1\tC1\n2\tC2\n") == KEPT
    assert header_after(KEPT, b"1\tC1\n#close\t2026\n") == KEPT
    assert header_after(KEPT, b"1\tC1\n#fields\tts\n2\n") == KEPT.replace(b"\tts\tuid", b"\tts")
    assert header_after(KEPT, b"#separator ,\n#fields,ts\n") == b"#separator ,\n#fields,ts\n"


LINES = st.sampled_from(
    [
        b"#separator \\x09\n",
        b"#fields\ta\n",
        b"#fields\ta\tb\n",
        b"#path\tx\n",
        b"#close\t1\n",
        b"1\n",
    ]
)


@given(st.lists(LINES), st.lists(LINES))
def test_the_header_is_the_same_read_at_once_or_in_parts(
    first: list[bytes], then: list[bytes]
) -> None:
    parts = header_after(header_after(b"", b"".join(first)), b"".join(then))
    assert parts == header_after(b"", b"".join(first + then))


def test_kinds() -> None:
    ours = b"#fields\tts\tuid\tid.orig_h\tid.resp_h\tproto\tduration\n1\tC\ta\tb\ttcp\t1\n"
    assert tsv_kind(ours) == "tsv"
    assert tsv_kind(b"#fields\tts\tfuid\n1\tF\n") == "other"
    assert tsv_kind(b"#path\tconn\n#fields\tts\tfuid\n1\tF\n") == "tsv"
    assert tsv_kind(b'{"ts":1}\n') is None


def test_logs_are_found_by_how_they_begin() -> None:
    one, two = stream(b"{1}\n", 1), stream(b"{22}\n", 2)
    known = Streams([one, two])
    assert known.begun_by(b"{1}\n{7}\n") == one
    assert known.begun_by(b"{22}\n{3") == two
    assert known.begun_by(b"{22}") is None
    assert known.begun_by(b"{3}\n") is None
    assert (len(known), known.numbers(), known.get(3)) == (2, [1, 2], None)


def test_logs_are_forgotten_and_known_anew() -> None:
    known = Streams([stream(b"{1}\n")])
    known.put(stream(b"{2}\n"))
    assert known.begun_by(b"{1}\n") is None
    assert known.begun_by(b"{2}\n") is not None
    known.drop(1)
    known.drop(1)
    assert known.begun_by(b"{2}\n") is None
