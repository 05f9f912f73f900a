"""The summary as a web page."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from analyzer.errors import OutputError
from analyzer.findings import Finding
from analyzer.report import Report
from analyzer.writers.html import write_html

from . import FIRST, make_finding


def _report(*findings: Finding) -> Report:
    return Report(all_findings=findings, records={"conn": 3}, first=FIRST, last=FIRST + 60)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: set[str] = set()
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes.update(name for name, _ in attrs)

    def handle_data(self, data: str) -> None:
        self.text += data


def _read(file: Path) -> _Reader:
    reader = _Reader()
    reader.feed(file.read_text("utf-8"))
    return reader


def test_page(tmp_path: Path) -> None:
    file = tmp_path / "report.html"
    write_html(_report(make_finding()), file)
    page = _read(file)
    assert set(page.tags) == {"html", "head", "meta", "title", "style", "body", "pre", "span"}
    assert page.attributes == {"lang", "charset", "http-equiv", "content", "style"}
    assert "Analysed 3 conn records\n" in page.text
    assert "  HIGH     0.93  10.0.0.5 tried 254 hosts on 22/tcp, 250 of them in vain\n" in page.text
    assert "uid CHhAvVGS1DHFjwGM9, C2\n" in page.text


def test_every_finding_is_shown(tmp_path: Path) -> None:
    file = tmp_path / "report.html"
    write_html(_report(*(make_finding(source=f"10.0.0.{n}") for n in range(50))), file)
    page = _read(file)
    assert page.text.count("10.0.0.5 tried 254 hosts") == 50
    assert "Not shown" not in page.text


def test_text_of_a_log_is_escaped(tmp_path: Path) -> None:
    file = tmp_path / "report.html"
    hostile = "</pre><script>alert('&amp;')</script> {code} \x1b[31m \udcff"
    write_html(_report(make_finding(message=hostile)), file)
    page = _read(file)
    assert "script" not in page.tags
    # What is shown is the text itself, but for what no page may hold.
    shown = "</pre><script>alert('&amp;')</script> {code} \\x1b[31m \\xff"
    assert shown in re.sub(r"\s+", " ", page.text)


def test_the_page_does_not_depend_on_the_terminal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pages = []
    for variables in ({"NO_COLOR": "1", "TERM": "dumb", "COLUMNS": "20"}, {"COLORTERM": "24bit"}):
        with monkeypatch.context() as terminal:
            for name in ("NO_COLOR", "COLORTERM", "COLUMNS"):
                terminal.delenv(name, raising=False)
            for name, value in variables.items():
                terminal.setenv(name, value)
            write_html(_report(make_finding()), tmp_path / "report.html")
        pages.append((tmp_path / "report.html").read_bytes())
    assert pages[0] == pages[1]
    assert b"color: #800000" in pages[0]


def test_a_page_that_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="is a directory, expected a file to write"):
        write_html(_report(), tmp_path)
