"""The Zeek script declares what the rules and the notice writer produce, no more and no less."""

import re
from pathlib import Path

import analyzer
from analyzer.writers.notice import OWN_COLUMNS

SCRIPT = Path(__file__).parent.parent / "zeek_scripts" / "zeek-analyzer" / "main.zeek"


def test_every_notice_type_is_declared() -> None:
    enum = re.search(r"Notice::Type \+= \{(.*?)\n\t\};", SCRIPT.read_text(), re.DOTALL)
    assert enum is not None
    declared = re.findall(r"^\t\t(\w+),$", enum[1], re.MULTILINE)
    assert declared == sorted(
        rule.notice.removeprefix("ZeekAnalyzer::") for rule in analyzer.load_rules()
    )


def test_every_own_column_is_declared_with_its_type() -> None:
    record = re.search(r"Notice::Info \+= \{(.*?)\n\};", SCRIPT.read_text(), re.DOTALL)
    assert record is not None
    declared = re.findall(r"^\t(\w+): (\S+) &log &optional;$", record[1], re.MULTILINE)
    assert declared == list(OWN_COLUMNS)
