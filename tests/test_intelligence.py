"""Reading threat intelligence: every line is an indicator, of no use, or wrong with its place."""

from __future__ import annotations

import gzip
import os
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.errors import EmptyInputError, InputError
from analyzer.indicators import USED_TYPES, Indicator
from analyzer.intelligence import Intelligence
from analyzer.zeek_format import escape

HEAD = "#fields\tindicator\tindicator_type\tmeta.source\tmeta.desc\tmeta.url\n"
ADDRESS = "198.51.100.7\tIntel::ADDR\tfeed\tstealer\thttps://feed.example/1\n"


def read(tmp_path: Path, text: str | bytes, name: str = "intel.dat") -> Intelligence:
    file = tmp_path / name
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return Intelligence([file])


def test_rows(tmp_path: Path) -> None:
    text = (
        f"# made by hand\n{HEAD}{ADDRESS}\n"
        "Bad.Example\tIntel::DOMAIN\ta \\x26 b\t-\t-\r\n"
        "198.51.100.0/24\tIntel::SUBNET\tfeed\t-\t-\n"
        "bad.example/x\tIntel::URL\tother\t-\t-\n"
        "a@b.example\tIntel::EMAIL\tfeed\t-\t-\n"
        "0cc175b9\tIntel::FILE_HASH\tfeed\t-\t-\n"
        "0cc175b8\tIntel::FILE_HASH\tfeed\t-\t-"
    )
    known = read(tmp_path, text)
    assert known.indicators == (
        Indicator("address", "198.51.100.7", ("feed",), ("stealer",), ("https://feed.example/1",)),
        Indicator("domain", "bad.example", ("a & b", "other")),
        Indicator("subnet", "198.51.100.0/24", ("feed",)),
    )
    assert known.account.read == Counter(address=1, domain=2, subnet=1)
    assert known.account.passed_over == {"Intel::EMAIL": 1, "Intel::FILE_HASH": 2}
    assert (known.account.lines, known.account.skipped.total()) == (7, 0)


def test_columns_in_any_order_and_a_second_header(tmp_path: Path) -> None:
    text = (
        "#fields\tmeta.source\tindicator_type\tindicator\n"
        "feed\tIntel::ADDR\t198.51.100.7\n"
        "#fields\tindicator\tindicator_type\n"
        "198.51.100.8\tIntel::ADDR\n"
    )
    assert read(tmp_path, text).indicators == (
        Indicator("address", "198.51.100.7", ("feed",)),
        Indicator("address", "198.51.100.8"),
    )


def test_wrong_lines_are_counted_with_their_places(tmp_path: Path) -> None:
    text = (
        f"{HEAD}{ADDRESS}"
        "198.51.100.300\tIntel::ADDR\tfeed\t-\t-\n"
        "198.51.100.8\tIntel::ADR\tfeed\t-\t-\n"
        "198.51.100.9\tIntel::ADDR\tfeed\n"
    )
    known = read(tmp_path, text)
    assert len(known.indicators) == 1
    file = tmp_path / "intel.dat"
    misspelt = "(found 'Intel::ADR'; did you mean 'Intel::ADDR'?)"
    assert [str(problem) for problem in known.account.problems()] == [
        f"{file}:3: Intel::ADDR: not an IPv4 or IPv6 address (found '198.51.100.300')",
        f"{file}:4: unknown indicator_type, expected {', '.join(USED_TYPES)} {misspelt}",
        f"{file}:5: expected the 5 columns of #fields, separated by tabs (found 3)",
    ]
    assert known.account.skipped.total() == 3


def test_compressed(tmp_path: Path) -> None:
    known = read(tmp_path, gzip.compress((HEAD + ADDRESS).encode()), "intel.dat.gz")
    assert [one.value for one in known.indicators] == ["198.51.100.7"]
    cut = gzip.compress((HEAD + ADDRESS * 9).encode())[:-12]
    known = read(tmp_path, cut, "cut.dat.gz")
    assert [file.failed for file in known.account.files] == [True]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "no indicator in this file: empty; expected Zeek's Intel format"),
        (HEAD, "no indicator in this file: empty"),
        ("198.51.100.7\n", ":1: no indicator in this file: no #fields header"),
        ("#fields indicator indicator_type\n1.2.3.4 Intel::ADDR\n", "separated by tabs"),
        (HEAD + "1.2.3\tIntel::ADDR\t-\t-\t-\n", ":2: .*not an IPv4 or IPv6 address"),
    ],
)
def test_a_named_file_without_indicators(tmp_path: Path, text: str, complaint: str) -> None:
    with pytest.raises(InputError, match=complaint):
        read(tmp_path, text)


def test_no_file_of_a_directory_holds_any(tmp_path: Path) -> None:
    (tmp_path / "README").write_text("about\n")
    with pytest.raises(EmptyInputError, match=r"no indicator in 1 file\(s\)"):
        Intelligence([tmp_path])
    read(tmp_path, HEAD + ADDRESS)
    known = Intelligence([tmp_path])
    assert len(known.indicators) == 1
    assert [file.failed for file in known.account.files] == [False, False]
    assert Intelligence([str(tmp_path / "*.dat")]).indicators == known.indicators


def test_only_other_types(tmp_path: Path) -> None:
    with pytest.raises(EmptyInputError, match="only indicators of other types than Intel::ADDR"):
        read(tmp_path, HEAD + "a@b.example\tIntel::EMAIL\t-\t-\t-\n")


def test_paths_that_are_none(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        Intelligence([tmp_path / "nothing"])
    with pytest.raises(InputError, match="standard input"):
        Intelligence(["-"])
    assert Intelligence([]).indicators == ()


def test_a_changed_file_is_read_again(tmp_path: Path) -> None:
    known = read(tmp_path, HEAD + ADDRESS)
    assert not known.refresh()
    # As Zeek's documentation says to do it: a new file moved over the old one.
    new = tmp_path / "new"
    new.write_text(HEAD + ADDRESS.replace(".7", ".8"))
    status = (tmp_path / "intel.dat").stat()
    os.utime(new, ns=(status.st_atime_ns, status.st_mtime_ns))
    new.replace(tmp_path / "intel.dat")
    assert known.refresh()
    assert [one.value for one in known.indicators] == ["198.51.100.8"]
    (tmp_path / "intel.dat").write_text(HEAD)
    with pytest.raises(InputError, match="no indicator"):
        known.refresh()
    assert [one.value for one in known.indicators] == ["198.51.100.8"]


def test_files_that_come_and_go(tmp_path: Path) -> None:
    read(tmp_path, HEAD + ADDRESS)
    known = Intelligence([tmp_path])
    other = tmp_path / "other.dat"
    other.write_text(HEAD + ADDRESS.replace(".7", ".8"))
    assert known.refresh()
    assert len(known.indicators) == 2
    other.unlink()
    assert known.refresh()
    assert len(known.indicators) == 1


@settings(max_examples=200, deadline=None)
@given(data=st.binary(max_size=300), headed=st.booleans())
def test_any_bytes_read_or_say_why_not(
    tmp_path_factory: pytest.TempPathFactory, data: bytes, *, headed: bool
) -> None:
    file = tmp_path_factory.mktemp("intel") / "intel.dat"
    file.write_bytes(HEAD.encode() * headed + data)
    try:
        account = Intelligence([file]).account
    except InputError as error:
        refused = str(error)
    else:
        refused = ""
        every = account.read.total() + account.skipped.total() + account.passed_over.total()
        assert account.lines == every
    assert not refused or str(file) in refused


SOURCES = st.text(st.characters(exclude_categories=["Cs"]), min_size=1).filter(
    lambda text: text.strip() == text
)


@settings(max_examples=100, deadline=None)
@given(st.lists(SOURCES, min_size=1, max_size=5))
def test_what_is_written_reads_back(
    tmp_path_factory: pytest.TempPathFactory, sources: list[str]
) -> None:
    file = tmp_path_factory.mktemp("intel") / "intel.dat"
    lines = [
        f"1.1.{i}.1\tIntel::ADDR\t{escape(source)}\t-\t-\n" for i, source in enumerate(sources)
    ]
    file.write_text(HEAD + "".join(lines), encoding="utf-8", newline="")
    assert Intelligence([file]).indicators == tuple(
        Indicator("address", f"1.1.{i}.1", (source,)) for i, source in enumerate(sources)
    )
