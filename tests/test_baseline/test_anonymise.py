"""Keyed hashes of addresses and names: prefixes stay, and the key is needed."""

from __future__ import annotations

import ipaddress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer.baseline.anonymise import (
    Key,
    anonymised,
    check_key,
    read_key,
    revealed,
)
from analyzer.baseline.baseline import Baseline
from analyzer.baseline.tables import LAYOUTS
from analyzer.errors import BaselineError, OptionError

from . import FIRST, assert_same, frame, small

KEY, OTHER = Key(b"k" * 16), Key(b"l" * 16)
ADDRESSES = st.ip_addresses(v=4) | st.ip_addresses(v=6)

BASELINE = small(
    peers=frame(
        "peers",
        ("10.0.0.1", "192.0.2.9", True, FIRST, FIRST),
        ("10.0.0.2", "2001:db8::9", True, FIRST, FIRST),
    ),
    domains=frame("domains", ("example.com", FIRST, FIRST, 2.0)),
    verdicts=frame(
        "verdicts",
        (1.0, "ann", "00ff", True, "beacon", "10.0.0.1", "", "tcp", -1, "example.com", 0.9),
    ),
)


def shared(one: str, other: str) -> int:
    """How many leading bits two addresses share."""
    first, second = ipaddress.ip_address(one), ipaddress.ip_address(other)
    return first.max_prefixlen - (int(first) ^ int(second)).bit_length()


@given(ADDRESSES, ADDRESSES)
def test_prefixes_are_kept_and_addresses_come_back(
    one: ipaddress.IPv4Address | ipaddress.IPv6Address,
    other: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> None:
    first, second = KEY.address(str(one)), KEY.address(str(other))
    assert ipaddress.ip_address(KEY.address_of(first)) == one
    assert ipaddress.ip_address(first).version == one.version
    if one.version == other.version:
        assert shared(first, second) == shared(str(one), str(other))


def test_hashes_are_those_of_the_key_and_stay() -> None:
    # Files must be readable for as long as their key is: these values may never change.
    assert KEY.address("10.0.0.1") == "107.63.171.44"
    assert KEY.address("2001:db8::1") == "2f90:53ce:5a7a:2f46:f8d7:896d:31a2:c2f4"
    assert KEY.name("Example.com") == KEY.name("example.com") == "c6399095184c9ef3"
    assert KEY.check == "d4a744f0e868cf793824784aab972f74"
    assert OTHER.address("10.0.0.1") != KEY.address("10.0.0.1")
    assert OTHER.check != KEY.check


def test_half_of_the_bits_are_flipped() -> None:
    texts = [str(ipaddress.ip_address(number * 2_654_435_761 % 2**32)) for number in range(2000)]
    flipped = sum(
        (int(ipaddress.ip_address(text)) ^ int(ipaddress.ip_address(KEY.address(text)))).bit_count()
        for text in texts
    )
    assert flipped / len(texts) == pytest.approx(16, abs=1)


def test_what_is_no_address_is_a_name() -> None:
    assert KEY.address("not an address") == KEY.name("not an address")
    assert KEY.name("") == ""


def test_tables() -> None:
    tables = anonymised(BASELINE.tables, KEY)
    peers = tables["peers"]
    assert set(peers.source) == {KEY.address("10.0.0.1"), KEY.address("10.0.0.2")}
    assert set(peers.peer) == {KEY.address("192.0.2.9"), KEY.address("2001:db8::9")}
    assert list(tables["domains"].domain) == [KEY.name("example.com")]
    (verdict,) = tables["verdicts"].to_dict("records")
    assert verdict["finding"] == KEY.name("00ff")
    assert (verdict["source"], verdict["destination"]) == (KEY.address("10.0.0.1"), "")
    assert (verdict["by"], verdict["rule"]) == ("ann", "beacon")
    held = "".join(table.to_csv() for table in tables.values())
    assert "10.0.0." not in held
    assert "example" not in held


def test_every_text_is_hashed_or_tells_nobody() -> None:
    plain = {"metric", "proto", "application", "log", "score", "by", "rule"}
    texts = {
        field.name
        for layout in LAYOUTS.values()
        for field in layout.fields
        if field.type == "string"
    }
    assert texts == plain | {"source", "peer", "destination", "domain", "subject", "finding"}


def hashed(baseline: Baseline) -> Baseline:
    """What learning the same with a key makes."""
    return Baseline(key_check=KEY.check).joined(anonymised(baseline.tables, KEY))


def test_a_baseline_there_and_back() -> None:
    hidden = hashed(BASELINE)
    assert hidden.key_check == KEY.check
    back = revealed(hidden, KEY, ["example.com", "other.example"])
    assert back.key_check == ""
    for name in ("peers", "domains"):
        assert back[name].equals(BASELINE[name])
    assert list(revealed(hidden, KEY, [])["domains"].domain) == [KEY.name("example.com")]


def test_a_summary_hashed_joins_as_the_baseline_hashed() -> None:
    other = {"peers": frame("peers", ("10.0.0.1", "192.0.2.10", True, FIRST, FIRST))}
    one = hashed(BASELINE).joined(anonymised(other, KEY))
    assert_same(one, hashed(BASELINE.joined(other)))


def test_the_key_must_fit(tmp_path: Path) -> None:
    hidden = hashed(BASELINE)
    check_key(hidden, KEY, tmp_path)
    check_key(BASELINE, None, tmp_path)
    for baseline, key, complaint in (
        (hidden, None, "expected --key-file"),
        (hidden, OTHER, "hashes of another key"),
        (Baseline(), KEY, "no hashes of any key"),
    ):
        with pytest.raises(BaselineError, match=complaint):
            check_key(baseline, key, tmp_path)


def test_key_files(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_bytes(b"  " + b"k" * 16 + b"\n")
    assert read_key(path).check == KEY.check
    path.write_bytes(b"short\n")
    with pytest.raises(OptionError, match="a key of 5 bytes: expected 16 or more"):
        read_key(path)
    path.write_bytes(b"x" * 2**17)
    with pytest.raises(OptionError, match="is no key: larger than 64 KiB"):
        read_key(path)
    with pytest.raises(OptionError, match="gone: cannot be read"):
        read_key(tmp_path / "gone")
