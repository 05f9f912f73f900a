from __future__ import annotations

import re

from analyzer.parsers.pcap.protocols.findings import Findings
from analyzer.parsers.pcap.protocols.session import (
    Opening,
    Reader,
    Session,
    Signature,
    Signatures,
)


class Recorder(Reader):
    """Confirms at ``yes``, is wrong at ``no``."""

    service = "http"

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self.heard: list[tuple[bytes, bool]] = []

    def deliver(self, data: bytes, *, is_originator: bool) -> None:
        self.heard.append((data, is_originator))
        if data == b"yes":
            self.confirm()
        if data == b"no":
            self.violate()


class Resuming(Recorder):
    service = "ftp"
    resumes = True


def opening(text: bytes, first: bytes = b"") -> Opening:
    return Opening(re.compile(text, re.DOTALL), first)


BOTH = Signatures(Signature(Recorder, opening(b"ab", b"a"), opening(b"xy", b"x"), needs_both=True))
EITHER = Signatures(Signature(Recorder, opening(b"ab", b"a"), opening(b"xy", b"x")))


def only(session: Session) -> Recorder:
    (reader,) = session.readers
    assert isinstance(reader, Recorder)
    return reader


def test_a_reader_of_the_port_hears_all() -> None:
    session = Session(None, [Recorder])
    session.deliver(b"1", is_originator=True)
    session.deliver(b"2", is_originator=False)
    assert only(session).heard == [(b"1", True), (b"2", False)]


def test_confirmation_and_violation() -> None:
    session = Session(None, [Recorder])
    session.deliver(b"yes", is_originator=True)
    assert session.findings.services == ["http"]
    session.deliver(b"no", is_originator=False)
    assert session.findings.services == []
    assert session.is_finished


def test_both_sides_are_needed_and_all_is_replayed() -> None:
    session = Session(BOTH)
    session.deliver(b"a", is_originator=True)
    session.deliver(b"xyz", is_originator=False)
    assert session.readers == []
    session.deliver(b"bc", is_originator=True)
    assert only(session).heard == [(b"a", True), (b"xyz", False), (b"bc", True)]


def test_openings_in_lines() -> None:
    line = Opening(re.compile(b"ab"), b"ax", re.compile(b"\nab"))
    for data, matches in ((b"ab", True), (b"xab", False), (b"x\nab", True), (b"\n\nab", True)):
        assert line.matches(data) == matches
    assert not opening(b"ab").matches(b"\nab")


def test_openings_in_lines_may_come_late() -> None:
    signature = Signature(Recorder, Opening(re.compile(b"ab"), b"x", re.compile(b"\nab")), None)
    session = Session(Signatures(signature))
    session.deliver(b"x" * 500, is_originator=True)
    session.deliver(b"\nab", is_originator=True)
    assert len(only(session).heard) == 2


def test_what_is_known_is_not_tried_with_other_readers() -> None:
    session = Session(EITHER, [Resuming])
    session.deliver(b"yes", is_originator=True)
    session.deliver(b"ab", is_originator=True)
    session.deliver(b"xy", is_originator=False)
    assert len(session.readers) == 1
    assert session.findings.services == ["ftp"]


def test_one_side_may_do() -> None:
    session = Session(EITHER)
    session.deliver(b"xy", is_originator=False)
    assert only(session).heard == [(b"xy", False)]


def test_sides_are_told_apart() -> None:
    session = Session(EITHER)
    session.deliver(b"ab", is_originator=False)
    session.deliver(b"xy", is_originator=True)
    assert session.readers == []


def test_signatures_are_for_the_beginning() -> None:
    session = Session(EITHER)
    session.deliver(b"-", is_originator=True)
    session.deliver(b"ab", is_originator=True)
    assert session.readers == []


def test_matching_ends_after_a_kibibyte() -> None:
    session = Session(Signatures(Signature(Recorder, opening(rb".*ab"), None)))
    session.deliver(b"-" * 1024, is_originator=False)
    assert session.is_matching
    session.deliver(b"--ab", is_originator=True)  # goes beyond, and still counts
    assert only(session).heard == [(b"-" * 1024, False), (b"--ab", True)]
    assert not session.is_matching


def test_datagrams_have_a_beginning_each() -> None:
    session = Session(EITHER, has_datagrams=True)
    session.deliver(b"--", is_originator=True)
    session.deliver(b"ab", is_originator=True)
    assert only(session).heard == [(b"--", True), (b"ab", True)]


def test_a_reader_is_not_started_twice() -> None:
    session = Session(EITHER, [Recorder])
    session.deliver(b"ab", is_originator=True)
    assert only(session).heard == [(b"ab", True)]


def test_a_reader_that_was_wrong_starts_again_by_its_signature() -> None:
    session = Session(EITHER, [Recorder])
    session.deliver(b"no", is_originator=True)
    assert session.readers == []
    session.deliver(b"xy", is_originator=False)
    # What was wrong is replayed, too, and is wrong again, but not before all was heard.
    assert session.readers == []
    assert session.findings.services == []


def test_gaps_end_readers_and_matching() -> None:
    session = Session(EITHER, [Recorder])
    session.gap(is_originator=True)
    assert session.is_finished
    assert session.findings.is_unreliable


def test_violations_are_forgiven_where_bytes_are_missing() -> None:
    findings = Findings(["http"], is_unreliable=True)
    session = Session(None, [Recorder, Resuming], findings=findings)
    session.deliver(b"no", is_originator=True)
    assert findings.services == ["http"]
    assert [type(reader) for reader in session.readers] == [Resuming]


def test_inner_sessions_share_findings_and_do_not_go_on_forever() -> None:
    session: Session | None = Session(EITHER)
    assert session is not None
    inner = session.inner()
    assert inner is not None
    assert inner.findings is session.findings
    for _ in range(10):
        session = session.inner() if session else None
    assert session is None


def test_continuing_looks_for_nothing_else() -> None:
    session = Session(EITHER)
    session.continue_with(Recorder(session))
    session.deliver(b"ab", is_originator=True)
    assert only(session).heard == [(b"ab", True)]
    assert not session.is_matching
