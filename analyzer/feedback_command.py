"""The ``feedback`` command: its options, and what it prints."""

from __future__ import annotations

import argparse
import functools
import getpass
import time
from pathlib import Path
from typing import TYPE_CHECKING

from analyzer.errors import OptionError
from analyzer.standard_streams import show

if TYPE_CHECKING:
    from rich.console import Console

    from analyzer.baseline.baseline import Baseline
    from analyzer.baseline.feedback import Verdict

DESCRIPTION = """Say of findings whether they are harmless or attacks. It is kept in the baseline,
with who said it and when, and moves the scores of what is alike. Findings are told by their
identifier (id in findings.jsonl, at the end of sub in notice.log); a later verdict on one
overrides earlier ones, which stay on record."""

_FINDINGS = "findings.jsonl"


def add_feedback(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    add = parser.add_argument
    add("findings_named", nargs="*", metavar="NOTICE-ID", help="identifier of a finding")
    said = parser.add_mutually_exclusive_group()
    said.add_argument("--benign", action="store_true", help="they are harmless")
    said.add_argument("--malicious", action="store_true", help="they are attacks")
    add("--file", type=Path, metavar="FILE", help="lines of NOTICE-ID and benign or malicious")
    add("--baseline", type=Path, metavar="FILE", required=True, help="where it is kept")
    add(
        "--findings",
        type=Path,
        metavar="FILE",
        help="findings.jsonl that names them (default: beside the baseline)",
    )
    add("--by", metavar="WHO", help="who says it (default: who is logged in)")
    add("--key-file", type=Path, metavar="KEY", help="key of a baseline with keyed hashes")
    add("-q", "--quiet", action="store_true", help="no summary")
    parser.set_defaults(command=_feedback)


def _feedback(options: argparse.Namespace) -> int:
    from analyzer.baseline.anonymise import anonymised, check_key, read_key  # noqa: PLC0415 - slow
    from analyzer.baseline.feedback import read_findings, verdict_rows  # noqa: PLC0415
    from analyzer.baseline.updating import update_baseline  # noqa: PLC0415

    verdicts = _verdicts(options)
    findings = read_findings(options.findings or options.baseline.parent / _FINDINGS)
    rows = verdict_rows(verdicts, findings, by=options.by or _user(), said=time.time())
    key = None if options.key_file is None else read_key(options.key_file)

    def change(baseline: Baseline) -> Baseline:
        check_key(baseline, key, options.baseline)
        tables = {"verdicts": rows}
        return baseline.joined(tables if key is None else anonymised(tables, key))

    baseline = update_baseline(options.baseline, change)
    if not options.quiet:
        show(functools.partial(_summary, verdicts, baseline, options.baseline), error=True)
    return 0


def _verdicts(options: argparse.Namespace) -> list[Verdict]:
    from analyzer.baseline.feedback import Verdict, read_verdicts  # noqa: PLC0415

    said = options.benign or options.malicious
    if bool(options.findings_named) != said:
        raise OptionError("expected identifiers of findings, and --benign or --malicious")
    verdicts = [Verdict(name, options.benign) for name in dict.fromkeys(options.findings_named)]
    if options.file is not None:
        verdicts += read_verdicts(options.file)
    if not verdicts:
        raise OptionError("nothing said: expected identifiers of findings, or --file with some")
    return verdicts


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        raise OptionError("nobody is logged in: say who with --by") from None


def _summary(verdicts: list[Verdict], baseline: Baseline, path: Path, console: Console) -> None:
    from analyzer.baseline.feedback import verdicts_about  # noqa: PLC0415
    from analyzer.writers.page import Page, counted  # noqa: PLC0415

    page = Page(console, verbose=False)
    benign = sum(verdict.benign for verdict in verdicts)
    said = f"{benign:,} benign, {len(verdicts) - benign:,} malicious"
    page.line(f"Noted {counted(len(verdicts), 'verdict')}: {said}", style="bold")
    page.line(f"{path} holds verdicts on {counted(len(verdicts_about(baseline)), 'finding')}")
