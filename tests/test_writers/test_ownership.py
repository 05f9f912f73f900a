"""Whose log is it."""

from __future__ import annotations

from pathlib import Path

import pytest

from analyzer.errors import OutputError
from analyzer.writers.ownership import (
    refuse_foreign_indicators,
    refuse_foreign_notices,
    refuse_live_log,
    refuse_zeek_directory,
)

HEAD = "#separator \\x09\n#path\tnotice\n#fields\tts\tnote\n#types\ttime\tenum\n"


@pytest.mark.parametrize(
    "content",
    [
        HEAD + "1.0\tScan::Port_Scan\n",
        HEAD + "1.0\tZeekAnalyzer::Beacon\n1.0\tSSL::Weak_Key\n#close\t2026\n",
        '{"ts":1,"note":"ZeekAnalyzer::Beacon"}\n{"ts":1,"note":"SSL::Weak_Key"}\n{"ts"',
        '{"rule":{"name":"Scan::Port_Scan"}}\n',
    ],
)
def test_notices_of_others_stay(tmp_path: Path, content: str) -> None:
    path = tmp_path / "notice.log"
    path.write_text(content)
    with pytest.raises(OutputError, match=r"holds notices of others \((Scan::Port_Scan|SSL::W)"):
        refuse_foreign_notices(path)


@pytest.mark.parametrize(
    "content",
    [
        "",
        HEAD,
        HEAD + "1.0\tZeekAnalyzer::Beacon\n#close\t2026\n",
        HEAD + "1.0\n",
        HEAD + "1.0\tZeekAnalyzer::Beacon\n1.0\tZeek",
        HEAD + "1.0\tZeekAnalyzer::Beacon\tone\u2028two\tthree\n",
        '{"rule":{"name":"ZeekAnalyzer::Beacon"}}\n',
        HEAD.replace("note", "nota") + "1.0\tScan::Port_Scan\n",
        '{"ts":1,"note":"ZeekAnalyzer::Beacon"}\n{"note":5}\n[]\n{"ts"',
        "whatever\n",
    ],
)
def test_ours_may_be_replaced(tmp_path: Path, content: str) -> None:
    path = tmp_path / "notice.log"
    path.write_text(content)
    refuse_foreign_notices(path)


def test_a_value_that_is_cut_off_is_not_somebody_elses(tmp_path: Path) -> None:
    path = tmp_path / "notice.log"
    row = f"1.0\tZeekAnalyzer::{'B' * 100}\n"
    path.write_text(HEAD + row * 10_000)
    refuse_foreign_notices(path)


def test_indicators_of_others_stay(tmp_path: Path) -> None:
    path = tmp_path / "intel.dat"
    head = "#fields\tindicator\tindicator_type\tmeta.source\n"
    path.write_text(f"{head}x.example\tIntel::DOMAIN\tzeek-analyzer\n")
    refuse_foreign_indicators(path)
    path.write_text(f"{head}x.example\tIntel::DOMAIN\tzeek-analyzer\ny\tIntel::DOMAIN\tfeed\n")
    with pytest.raises(OutputError, match=r"intel.dat: holds indicators of others \(feed\)"):
        refuse_foreign_indicators(path)
    path.write_text("root:x:0:0\n")
    with pytest.raises(OutputError, match=r"is no file of indicators"):
        refuse_foreign_indicators(path)
    for nothing in (tmp_path / "none", tmp_path):
        refuse_foreign_indicators(nothing)


def test_logs_that_are_being_written_stay(tmp_path: Path) -> None:
    path = tmp_path / "conn.log"
    path.write_text(HEAD + "1.0\tx\n")
    with pytest.raises(OutputError, match="still being written"):
        refuse_live_log(path)
    path.write_text(HEAD + "1.0\tx\n#close\t2026-01-01-00-00-00\n")
    refuse_live_log(path)
    path.write_text('{"ts":1}\n')
    refuse_live_log(path)


def test_what_is_not_there_or_no_file_is_for_others_to_say(tmp_path: Path) -> None:
    for path in (tmp_path / "none", tmp_path):
        refuse_foreign_notices(path)
        refuse_live_log(path)


def is_zeeks(directory: Path) -> str:
    """By what a directory is known as Zeek's own; empty if it is not."""
    try:
        refuse_zeek_directory(directory)
    except OutputError as error:
        message = str(error)
    else:
        return ""
    assert message.startswith(f"{directory}: is a directory of Zeek's own (")
    return message.partition("(")[2].partition(")")[0]


def test_a_directory_with_a_log_that_is_being_written_is_zeeks(tmp_path: Path) -> None:
    (tmp_path / "http.log").write_text(HEAD + "1.0\tx\n" * 100)
    assert is_zeeks(tmp_path) == "http.log is still being written"
    with (tmp_path / "http.log").open("a") as file:
        file.write("#close\t2026-01-01-00-00-00\n")
    assert is_zeeks(tmp_path) == ""
    (tmp_path / "dns.log").write_text(HEAD)
    assert is_zeeks(tmp_path) == "dns.log is still being written"


def test_where_zeekcontrol_runs_and_archives_is_zeeks(tmp_path: Path) -> None:
    spool, archive = tmp_path / "spool", tmp_path / "logs"
    day = archive / "2026-01-19"
    for directory in (spool, day, archive / "ours"):
        directory.mkdir(parents=True)
    (spool / ".cmdline").write_text("-i eth0\n")
    (archive / "current").symlink_to(spool)
    assert is_zeeks(spool) == is_zeeks(archive / "current") == "ZeekControl runs Zeek in it"
    link = archive.resolve() / "current"
    assert is_zeeks(archive) == is_zeeks(day) == f"{link} is ZeekControl's link to the live logs"
    assert is_zeeks(archive / "ours") == ""


def test_what_we_write_is_not_zeeks(tmp_path: Path) -> None:
    assert is_zeeks(tmp_path / "none") == ""
    (tmp_path / "notice.log").write_text(HEAD + "1.0\tZeekAnalyzer::Beacon\n")
    (tmp_path / "notice.2026-01-19-00-00-00.log").write_text(HEAD)
    (tmp_path / "conn.log").write_text(HEAD + "#close\t2026-01-01-00-00-00\n")
    (tmp_path / "dns.log").write_text('{"ts":1}\n')
    (tmp_path / "service.log").write_text("whatever\n")
    (tmp_path / "empty.log").touch()
    (tmp_path / "directory.log").mkdir()
    (tmp_path / "gone.log").symlink_to("nowhere")
    (tmp_path / "current").mkdir()
    assert is_zeeks(tmp_path) == ""
