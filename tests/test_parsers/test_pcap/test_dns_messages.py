from __future__ import annotations

import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer.parsers.pcap.dns_messages import (
    DELETION,
    ON_NETBIOS,
    PREREQUISITE,
    RECORD,
    TO_NETBIOS,
    UPDATED,
    find,
    find_answers,
)
from tests.test_parsers.test_pcap.dns_talk import (
    POINTER,
    address,
    message,
    messages,
    name,
    query,
    question,
    record,
    response,
)

NONE, ANY = 254, 255


def found(content: bytes, netbios: int = 0) -> dict[str, int]:
    row = find(messages(content, netbios=netbios))[0]
    return dict(zip(row.dtype.names, row.tolist(), strict=True))


def kinds(content: bytes, netbios: int = 0) -> list[tuple[int, int]]:
    """Part and type of the answers of a message."""
    answers = find_answers(messages(content, netbios=netbios))
    return list(zip(answers["part"].tolist(), answers["type"].tolist(), strict=True))


def test_a_query() -> None:
    row = found(query(0x1234, "example.com", 28))
    assert (row["identity"], row["flags"], row["questions"], row["records"]) == (0x1234, 256, 1, 0)
    assert (row["complete"], row["ends"], row["violates"]) == (1, 1, 0)
    assert (row["type"], row["family"], row["owner"]) == (28, 1, -1)
    # The message begins after one byte of something else.
    assert (row["name"], row["name_end"]) == (13, 13 + 13)


def test_a_response() -> None:
    content = response(1, address(), record(5, b"\1a\0", lifetime=7), more=(2, 1))
    row = found(content)
    assert (row["records"], row["complete"], row["owner"]) == (5, 1, 13 + 13 + 4)
    answers = find_answers(messages(b"?" * 12, content))
    assert answers["message"].tolist() == [1, 1]
    assert answers["lifetime"].tolist() == [60, 7]
    assert answers["length"].tolist() == [4, 3]
    assert answers["part"].tolist() == [RECORD, RECORD]


def test_the_last_question_counts() -> None:
    content = message(1, question(name("a"), 1), question(name("b"), 2, 3), counts=(2, 0, 0, 0))
    row = found(content)
    assert (row["type"], row["family"], row["name"]) == (2, 3, 13 + 7)


@pytest.mark.parametrize(
    "content",
    [
        message(1, b"\3abc"),
        message(1, question(name("a"))[:-1]),
        message(1, question(name("a")), counts=(2, 0, 0, 0)),
        message(1, question(name("a")), address(), counts=(1, 2, 0, 0)),
        message(1, question(name("a")), address()[:-1], counts=(1, 1, 0, 0)),
        response(1, record(1, b"\1\2\3")),
        response(1, record(5, b""), address()),
        response(1, record(16, b"\5abc")),
    ],
)
def test_what_breaks_is_not_complete(content: bytes) -> None:
    row = found(content)
    assert (row["complete"], row["ends"], row["violates"]) == (0, 1, 0)


def test_answers_before_the_break_count() -> None:
    assert kinds(response(1, address(), record(1, b"\1"), address())) == [(RECORD, 1)]
    assert kinds(response(1, record(16, b"\1a\5b"), address())) == [(RECORD, 16)]


def test_a_message_may_end_without_the_rest_of_a_record() -> None:
    # Numbers that are not there are zero: no time to live, no data.
    content = response(1, POINTER + struct.pack(">HH", 28, 1))
    answers = find_answers(messages(content))
    assert answers[["type", "lifetime", "length"]].tolist() == [(28, 0, 0)]
    assert found(content)["complete"] == 1


def test_too_many_questions_are_no_dns() -> None:
    asked = b"".join(question(name("a")) for _ in range(26))
    assert found(message(1, asked, counts=(25, 0, 0, 0)))["complete"] == 1
    row = found(message(1, asked, counts=(26, 0, 0, 0)))
    assert (row["complete"], row["violates"], row["name"]) == (0, 1, -1)


def test_authorities_and_additional_records_are_not_read() -> None:
    content = response(1, address(), more=(1, 1)) + b"\3no record"
    assert found(content)["complete"] == 1
    assert kinds(content) == [(RECORD, 1)]


def test_a_broken_naptr_is_a_violation() -> None:
    row = found(response(1, record(35, b"\0\1\0\2\x09x")))
    assert (row["complete"], row["violates"]) == (0, 1)


@pytest.mark.parametrize("kind", [13, 32, 64, 65, 249, 250, 257])
def test_some_types_are_no_answers(kind: int) -> None:
    content = response(1, record(kind, b"\0\1\0" + bytes(20)), address())
    assert (RECORD, kind) not in kinds(content)


def test_records_after_one_that_is_not_read_are_what_its_bytes_say() -> None:
    inner = address()
    assert kinds(response(1, record(11, inner), address())) == [(RECORD, 11), (RECORD, 1)]


def test_node_status_is_not_read_and_no_answer() -> None:
    content = response(1, record(33, address()), address())
    assert kinds(content, ON_NETBIOS | TO_NETBIOS) == [(RECORD, 1)]
    assert kinds(content, ON_NETBIOS)[0] == (RECORD, 33)


def update(*records: bytes, counts: tuple[int, ...], zone: int = 6) -> bytes:
    return message(1, question(name("zone"), zone), *records, flags=0x2800, counts=counts)


def test_updates_have_prerequisites_and_updates() -> None:
    content = update(
        record(255, b"", family=NONE, lifetime=0),
        record(1, b"\1\2\3\4"),
        record(1, b"", family=ANY, lifetime=0),
        record(1, b"\1\2\3\4", family=NONE, lifetime=0),
        counts=(1, 1, 3, 0),
    )
    assert kinds(content) == [(PREREQUISITE, 255), (UPDATED, 1), (DELETION, 1), (UPDATED, 1)]
    row = found(content)
    assert (row["name"], row["complete"], row["ends"]) == (-1, 1, 1)


def test_what_makes_no_sense_in_updates_is_left_out() -> None:
    content = update(
        record(1, b"", family=ANY, lifetime=1),
        record(1, b"", family=3, lifetime=0),
        record(1, b"", family=3, lifetime=0),
        record(1, b"", family=1, lifetime=9),
        record(28, bytes(16), family=1),
        counts=(1, 2, 3, 0),
    )
    assert kinds(content) == [(UPDATED, 28)]


def test_updates_are_of_one_zone() -> None:
    assert found(update(counts=(2, 0, 0, 0)))["complete"] == 0
    row = found(update(counts=(1, 0, 0, 0), zone=1))
    assert (row["complete"], row["ends"]) == (0, 0)


def test_netbios_registers_with_the_same_operation() -> None:
    row = found(update(counts=(1, 0, 0, 0), zone=32), ON_NETBIOS)
    assert (row["complete"], row["type"]) == (1, 32)


def test_many_answers() -> None:
    content = response(1, *[address()] * 1000)
    answers = find_answers(messages(content, content))
    assert answers["message"].tolist() == [0] * 1000 + [1] * 1000


@given(
    st.lists(
        st.binary(max_size=120).map(lambda rest: struct.pack(">6H", 1, 0x8000, 1, 3, 1, 0) + rest)
    ),
    st.sampled_from([0, ON_NETBIOS, ON_NETBIOS | TO_NETBIOS]),
)
def test_any_bytes(contents: list[bytes], netbios: int) -> None:
    batch = messages(*contents, netbios=netbios)
    rows = find(batch)
    assert ((rows["name"] == -1) | (rows["name"] >= batch.starts)).all()
    answers = find_answers(batch)
    which = answers["message"]
    assert (answers["data"] + answers["length"] <= batch.ends[which]).all()
    assert (answers["owner"] >= batch.starts[which]).all()
    assert (np.diff(which) >= 0).all()


@given(st.lists(st.binary(min_size=12, max_size=80)))
def test_any_headers(contents: list[bytes]) -> None:
    batch = messages(*contents)
    assert len(find(batch)) == len(contents)
    assert (find_answers(batch)["message"] < max(len(contents), 1)).all()
