from __future__ import annotations

import pytest

from analyzer.parsers.pcap.dns_queues import MAX_IDS, MAX_MESSAGES
from tests.test_parsers.test_pcap.dns_talk import (
    MDNS,
    NETBIOS,
    Talk,
    address,
    brief,
    message,
    name,
    query,
    question,
    record,
    response,
)

ONE = ["192.0.2.1"]


def test_a_response_goes_with_its_query() -> None:
    talk = Talk().say(query(7), at=1.0).say(response(7, address()), at=1.5, to=False)
    (row,) = talk.rows()
    assert row == {
        "slot": 0,
        "ts": 1.0,
        "trans_id": 7,
        "rtt": 0.5,
        "query": "example.com",
        "qclass": 1,
        "qclass_name": "C_INTERNET",
        "qtype": 1,
        "qtype_name": "A",
        "rcode": 0,
        "rcode_name": "NOERROR",
        "AA": False,
        "TC": False,
        "RD": True,
        "RA": True,
        "Z": 0,
        "answers": ONE,
        "TTLs": [60.0],
        "rejected": False,
        "opcode": 0,
        "opcode_name": "query",
    }


def test_a_query_without_response_is_logged_when_its_connection_ends() -> None:
    talk = Talk().say(query(7, "Lonely.example", 28), at=1.0)
    assert talk.rows() == []
    (row,) = talk.end(at=9.0).rows()
    assert brief(row) == (7, 1.0, "lonely.example", None, None)
    assert (row["qtype_name"], row["rtt"], row["rcode"]) == ("AAAA", None, None)


def test_a_response_without_query() -> None:
    talk = Talk().say(response(7, address(), flags=0x8580), at=1.0, to=False).end()
    (row,) = talk.rows()
    assert brief(row) == (7, 1.0, "example.com", "NOERROR", ONE)
    assert (row["AA"], row["RA"], row["RD"]) == (True, True, False)
    assert (row["qtype"], row["qtype_name"], row["qclass_name"], row["rtt"]) == (None,) * 4


def test_the_name_of_an_answer_stands_in_for_that_of_a_question() -> None:
    other = record(1, b"\1\2\3\4", of=name("Other.Example"))
    (row,) = Talk().say(response(7, other, address()), to=False).end().rows()
    assert row["query"] == "other.example"
    (row,) = Talk().say(response(7), to=False).end().rows()
    assert row["query"] is None


def test_a_response_may_come_first() -> None:
    talk = (
        Talk().say(response(7, address()), at=1.0, to=False).say(query(7, "late.example"), at=2.0)
    )
    (row,) = talk.rows()
    assert brief(row) == (7, 1.0, "late.example", "NOERROR", ONE)
    assert row["rtt"] is None


def test_first_in_first_out_by_id() -> None:
    talk = Talk()
    for at, (identity, of) in enumerate([(1, "a"), (2, "b"), (1, "c"), (3, "d"), (1, "e")]):
        talk.say(query(identity, of), at=float(at))
    for at, identity in enumerate([3, 1, 2, 1, 1, 1], start=10):
        talk.say(response(identity, address()), at=float(at), to=False)
    rows = talk.end().rows()
    assert [(row["query"], row["ts"], row["rtt"]) for row in rows] == [
        ("d", 3.0, 7.0),
        ("a", 0.0, 11.0),
        ("b", 1.0, 11.0),
        ("c", 2.0, 11.0),
        ("e", 4.0, 10.0),
        ("example.com", 15.0, None),
    ]


def test_what_waits_is_logged_queries_first() -> None:
    talk = Talk().say(response(9, address()), to=False)
    talk.say(query(1, "a")).say(query(2, "b")).say(query(3, "c")).say(query(2, "d"))
    rows = talk.end().rows()
    assert [row["query"] for row in rows] == ["a", "b", "d", "c", "example.com"]


def test_connections_do_not_mix() -> None:
    talk = Talk(slots=[(17, 1, 53), (17, 2, 53)])
    talk.say(query(7, "a"), slot=0).say(query(7, "b"), slot=1)
    talk.say(response(7, address()), slot=1, to=False, at=1.0)
    rows = talk.end(slot=0).end(slot=1).rows()
    assert [(row["slot"], row["query"], row["answers"]) for row in rows] == [
        (1, "b", ONE),
        (0, "a", None),
    ]


def test_the_second_response_is_on_its_own() -> None:
    talk = Talk().say(query(7), at=1.0)
    talk.say(response(7, address()), at=2.0, to=False).say(response(7, address()), at=3.0, to=False)
    rows = talk.end().rows()
    assert [(row["ts"], row["qtype_name"]) for row in rows] == [(1.0, "A"), (3.0, None)]


@pytest.mark.parametrize(
    ("answer", "rejected", "rcode"),
    [
        # A response with a question and no records at all.
        (response(7, flags=0x8183), True, "NXDOMAIN"),
        (response(7, flags=0x8180), True, "NOERROR"),
        (response(7, flags=0x8183, more=(1, 0)), False, "NXDOMAIN"),
        (response(7, flags=0x8180, more=(0, 1)), False, "NOERROR"),
        # An error without a question.
        (message(7, flags=0x8185, counts=(0, 0, 0, 1)), True, "REFUSED"),
        (message(7, flags=0x8180, counts=(0, 0, 0, 1)), False, "NOERROR"),
        (response(7, address(), flags=0x8182), False, "SERVFAIL"),
    ],
)
def test_rejected(*, answer: bytes, rejected: bool, rcode: str) -> None:
    (row,) = Talk().say(query(7)).say(answer, at=1.0, to=False).rows()
    assert (row["rejected"], row["rcode_name"]) == (rejected, rcode)


def test_only_logged_answers_have_a_time_and_flags() -> None:
    talk = Talk().say(query(7)).say(response(7, flags=0x8583, more=(1, 0)), at=1.0, to=False)
    (row,) = talk.rows()
    assert (row["rtt"], row["AA"], row["RA"], row["answers"]) == (None, False, False, None)
    # A type that is not logged is none, one that has nothing to say is.
    talk = Talk().say(query(7)).say(response(7, record(257, b"\0\5issue;")), at=1.0, to=False)
    (row,) = talk.rows()
    assert (row["rtt"], row["RA"], row["answers"], row["TTLs"]) == (None, False, None, None)
    talk = Talk().say(query(7)).say(response(7, record(2, b"\0")), at=1.0, to=False)
    (row,) = talk.rows()
    assert (row["rtt"], row["RA"], row["answers"], row["TTLs"]) == (1.0, True, None, None)


def test_flags_of_the_query() -> None:
    talk = Talk().say(query(7, flags=0x0270)).say(response(7, flags=0x8180), to=False)
    (row,) = talk.rows()
    assert (row["TC"], row["RD"], row["Z"]) == (True, False, 7)


def test_the_last_of_several_questions() -> None:
    asked = question(name("first.example")) + question(name("Last.example"), 2, 3)
    (row,) = Talk().say(message(7, asked, counts=(2, 0, 0, 0))).end().rows()
    assert (row["query"], row["qtype_name"], row["qclass_name"]) == (
        "last.example",
        "NS",
        "C_CHAOS",
    )


def test_a_query_that_cannot_be_read_still_is_one() -> None:
    talk = Talk().say(message(7, b"\x09abc")).say(response(7, address()), at=1.0, to=False)
    (row,) = talk.rows()
    assert brief(row) == (7, 0.0, "example.com", "NOERROR", ONE)
    assert row["qtype"] is None


def test_multicast_pairs_likewise() -> None:
    talk = Talk(slots=[MDNS]).say(query(0, "a.local")).say(query(0, "b.local"))
    talk.say(response(0, address(), flags=0x8400), at=1.0)
    rows = talk.end().rows()
    assert [(row["query"], row["answers"]) for row in rows] == [("a.local", ONE), ("b.local", None)]


def test_notifications_and_updates_are_followed() -> None:
    talk = Talk().say(query(1, "zone", 6, flags=0x2400)).say(response(1, flags=0xA400), to=False)
    (row,) = talk.rows()
    assert (row["query"], row["opcode"], row["opcode_name"]) == ("zone", 4, "notify")
    update = message(2, question(name("zone"), 6), flags=0x2800)
    (row,) = Talk().say(update).end().rows()
    assert (row["query"], row["opcode_name"]) == (None, "dynamic-update")


def test_an_update_without_a_zone_does_not_end() -> None:
    update = message(2, question(name("zone"), 1), flags=0x2800)
    answer = message(2, question(name("zone"), 6), flags=0xA800)
    assert Talk().say(update).say(answer, to=False).rows() == []


@pytest.mark.parametrize("opcode", [1, 2, 3, 6, 15])
def test_other_operations_are_not_followed(opcode: int) -> None:
    assert Talk().say(query(7, flags=opcode << 11)).end().rows() == []


def test_what_netbios_does_not_follow_ends_what_came_before() -> None:
    release = query(8, flags=0x8000 | 6 << 11)
    talk = Talk(slots=[NETBIOS]).say(query(7, "a"), at=1.0).say(release, at=2.0, to=False)
    (row,) = talk.rows()
    assert brief(row) == (7, 1.0, "a", None, None)
    # It waits nevertheless, and is logged again when its response comes.
    talk.say(response(7, address()), at=3.0, to=False)
    rows = talk.end().rows()
    assert [brief(row) for row in rows] == [
        (7, 1.0, "a", None, None),
        (7, 1.0, "a", "NOERROR", ONE),
    ]
    assert [row["rejected"] for row in rows] == [True, True]


def test_too_many_of_one_id_are_given_up() -> None:
    talk = Talk().say(query(1, "first"))
    for at in range(MAX_MESSAGES + 2):
        talk.say(query(7, f"q{at}"))
    rows = talk.rows()
    assert [row["query"] for row in rows] == [f"q{at}" for at in range(MAX_MESSAGES + 1)]
    talk.say(response(7, address()), at=1.0, to=False)
    assert brief(talk.rows()[-1]) == (7, 0.0, f"q{MAX_MESSAGES + 1}", "NOERROR", ONE)


def test_too_many_ids_are_given_up() -> None:
    talk = Talk()
    for at in range(MAX_IDS + 2):
        talk.say(response(at, address()), to=False)
    assert [row["trans_id"] for row in talk.rows()] == list(range(MAX_IDS + 1))
    assert [row["trans_id"] for row in talk.end().rows()] == list(range(MAX_IDS + 2))


def test_too_many_questions_end_the_analysis() -> None:
    wrong = message(9, counts=(26, 0, 0, 0))
    talk = Talk().say(query(7)).say(wrong).say(response(7, address()), to=False)
    assert [brief(row)[:3] for row in talk.end().rows()] == [
        (7, 0.0, "example.com"),
        (9, 0.0, None),
    ]


def test_a_long_connection_is_forgiven() -> None:
    wrong = message(9, counts=(26, 0, 0, 0))
    talk = Talk().say(query(7) + bytes(10240)).say(wrong)
    talk.say(response(7, address()), at=1.0, to=False)
    assert brief(talk.rows()[0]) == (7, 0.0, "example.com", "NOERROR", ONE)
