from __future__ import annotations

from analyzer.parsers.pcap.protocols.lines import Lines


def test_lines_come_when_they_are_complete() -> None:
    lines = Lines()
    assert list(lines.add(b"one\r\ntw")) == [b"one"]
    assert list(lines.add(b"o\nthree")) == [b"two"]
    assert list(lines.add(b"\r\n\n")) == [b"three", b""]


def test_only_one_carriage_return_belongs_to_the_end() -> None:
    assert list(Lines().add(b"a\rb\r\r\n")) == [b"a\rb\r"]


def test_what_follows_the_last_line_is_left() -> None:
    lines = Lines()
    assert next(iter(lines.add(b"STARTTLS\r\n\x16\x03\x01"))) == b"STARTTLS"
    assert lines.peek() == b"\x16\x03\x01"
    assert lines.rest() == b"\x16\x03\x01"
    assert lines.rest() == b""


def test_a_line_without_end_is_handed_out_in_pieces() -> None:
    lines = Lines()
    assert list(lines.add(b"x" * 4096)) == []
    assert list(lines.add(b"y")) == [b"x" * 4096 + b"y"]
    assert lines.peek() == b""
