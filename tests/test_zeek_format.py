"""Zeek's ASCII values, written and read back."""

from __future__ import annotations

import math

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from analyzer import zeek_format as zf

TEXT = st.text(st.characters(exclude_categories=["Cs"]))
TROUBLE = st.text(st.sampled_from("\\x0124cefd-,#()empty\t\n\r\x7f\x00é字"))


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("plain text", "plain text"),
        ("", "(empty)"),
        ("-", r"\x2d"),
        ("--", "--"),
        ("(empty)", r"\x28empty)"),
        ("(empty) x", "(empty) x"),
        ("a\\b", r"a\\b"),
        ("\\x41", r"\\x41"),
        ("a\tb\nc\rd\x00e\x1bf\x7f", r"a\x09b\x0ac\x0dd\x00e\x1bf\x7f"),
        ("caffè 東京 😀", "caffè 東京 😀"),
        ("\x85\u2028", "\x85\u2028"),
        ("a,b", "a,b"),
        ("#x", "#x"),
        ("a\udcffb", r"a\xffb"),
        ("a\ud800b", r"a\xed\xa0\x80b"),
    ],
)
def test_escape(text: str, written: str) -> None:
    assert zf.escape(text) == written


def test_escape_in_container() -> None:
    assert zf.escape("a,b\\,", in_container=True) == r"a\x2cb\\\x2c"
    assert zf.escape("-", in_container=True) == r"\x2d"


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ("", ""),
        ("(empty)", ""),
        ("-", "-"),
        (r"\x2d", "-"),
        (r"\x28empty)", "(empty)"),
        (r"\\x41", r"\x41"),
        (r"\\\x41", r"\A"),
        (r"\\\\", r"\\"),
        (r"caff\xc3\xa8", "caffè"),
        (r"\xC3\xA8", "è"),
        (r"\xff\xc3\xa8\xc3", r"\xffè\xc3"),
        (r"\xFF", r"\xff"),
        (r"\xc3\\\xa8", r"\xc3\\xa8"),
        (r"\xed\xa0\x80", r"\xed\xa0\x80"),
        ("a\udcffb", r"a\xffb"),
        ("\udcc3\\xa8", "è"),
        ("\ud800", r"\xed\xa0\x80"),
        ("\\", "\\"),
        (r"\x", r"\x"),
        (r"\x4", r"\x4"),
        (r"\xg0\n\t\u0041", r"\xg0\n\t\u0041"),
    ],
)
def test_unescape(written: str, text: str) -> None:
    assert zf.unescape(written) == text


@given(TEXT | TROUBLE, st.booleans())
@example("(empty)", False)
def test_unescape_inverts_escape(text: str, in_container: bool) -> None:  # noqa: FBT001 - given
    written = zf.escape(text, in_container=in_container)
    assert zf.unescape(written) == text
    assert not set(written) & {"\t", "\n", "\r", "\x00", "\x7f"}
    assert written not in ("", zf.UNSET)
    assert not in_container or "," not in written


@given(st.text(st.characters(exclude_categories=[])) | TROUBLE)
def test_unescape_never_raises_and_is_canonical(written: str) -> None:
    text = zf.unescape(written)
    assert text.encode().decode() == text
    assert zf.replace_undecodable(text) == text


@given(st.binary())
def test_bytes_of_any_log_survive(content: bytes) -> None:
    """What surrogateescape made of bytes is written as those bytes, escaped where not UTF-8."""
    text = content.decode("utf-8", "surrogateescape")
    assert zf.unescape(zf.escape(text)) == content.decode("utf-8", "backslashreplace")
    assert zf.replace_undecodable(text) == content.decode("utf-8", "backslashreplace")


def test_numbers() -> None:
    assert zf.format_time(1215620353.0) == "1215620353.000000"
    assert zf.format_time(1700000000.1234567) == "1700000000.123457"
    assert zf.format_interval(3600) == "3600.000000"
    assert zf.format_count(22) == "22"
    assert zf.format_bool(True) == "T"
    assert zf.format_bool(False) == "F"


@pytest.mark.parametrize(
    ("number", "written"),
    [
        (0.93, "0.93"),
        (1, "1.0"),
        (100.0, "100.0"),
        (0.1234567, "0.123457"),
        (-2.5, "-2.5"),
        (-1e-9, "0.0"),
        (1e20, "100000000000000000000.0"),
        (math.nan, "nan"),
        (-math.inf, "-inf"),
    ],
)
def test_double(number: float, written: str) -> None:
    assert zf.format_double(number) == written


def test_sets() -> None:
    assert zf.format_set(()) == "(empty)"
    assert zf.format_set(["b", "a,c", "-", "a\tb"]) == r"b,a\x2cc,\x2d,a\x09b"
    assert zf.format_set([1.5, None], "interval") == "1.500000,-"


@pytest.mark.parametrize(
    ("value", "zeek_type", "written"),
    [
        (None, "string", "-"),
        (None, "set[string]", "-"),
        ("-", "string", r"\x2d"),
        ("tcp", "enum", "tcp"),
        ("fe80::1", "addr", "fe80::1"),
        (53, "port", "53"),
        (-1, "int", "-1"),
        (True, "bool", "T"),
        (0.5, "time", "0.500000"),
        (0.5, "double", "0.5"),
        ((), "set[enum]", "(empty)"),
        (["a,b"], "vector[string]", r"a\x2cb"),
        ([60, 0.25], "vector[interval]", "60.000000,0.250000"),
    ],
)
def test_value_by_type(value: object, zeek_type: str, written: str) -> None:
    assert zf.format_value(value, zeek_type) == written


def test_unknown_type_is_an_error() -> None:
    with pytest.raises(KeyError, match="text"):
        zf.format_value("x", "text")
    with pytest.raises(KeyError, match="text"):
        zf.format_value(["x"], "set[text]")


def test_iso8601() -> None:
    assert zf.format_iso8601(1215620010.005432) == "2008-07-09T16:13:30.005432Z"
    assert zf.format_iso8601(0) == "1970-01-01T00:00:00.000000Z"
    for impossible in (1e18, -1e18, math.nan, math.inf):
        assert zf.format_iso8601(impossible) is None


def test_header_and_footer_are_zeeks_bytes() -> None:
    fields = (("ts", "time"), ("id.orig_h", "addr"), ("answers", "vector[string]"))
    assert zf.header("dns", fields, 1700000000.9) == (
        "#separator \\x09\n"
        "#set_separator\t,\n"
        "#empty_field\t(empty)\n"
        "#unset_field\t-\n"
        "#path\tdns\n"
        "#open\t2023-11-14-22-13-20\n"
        "#fields\tts\tid.orig_h\tanswers\n"
        "#types\ttime\taddr\tvector[string]\n"
    )
    assert zf.footer(1700000000.9) == "#close\t2023-11-14-22-13-20\n"
    assert zf.header_time(1700000000.9) == "2023-11-14-22-13-20"
    assert zf.parse_header_time("2023-11-14-22-13-20") == 1700000000.0
    assert zf.parse_header_time("yesterday") is None


def test_row() -> None:
    assert zf.format_row(["a", "#b"]) == "a\t#b\n"
    assert zf.format_row(["#fields", "b"]) == "\\x23fields\tb\n"


def test_bytes_that_are_no_utf8_in_canonical_text() -> None:
    canonical = b"j\xe4ger\\\t\\x41".decode("utf-8", "backslashreplace")
    assert zf.escape_canonical(canonical) == "j\\xe4ger\\\\\\x09\\\\x41"
    assert zf.unescape(zf.escape_canonical(canonical)) == canonical
    assert zf.escape_canonical("ü\\xe4") == "\\xc3\\xbc\\xe4"
    assert zf.escape_canonical("ü\\x41") == "ü\\\\x41"
    assert zf.escape_canonical("a,b", in_container=True) == "a\\x2cb"
