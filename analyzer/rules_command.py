"""The ``rules`` commands: their options, and what they print."""

from __future__ import annotations

import argparse
import functools
from pathlib import Path

from analyzer.standard_streams import DONE, FAILED, show, show_text


def add_rules_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the commands and their options."""
    for name, command, text in (
        ("list", _rules_list, "list the rules"),
        ("check", _rules_check, "validate the rules and run their test cases; 2 if any fails"),
        ("show", _rules_show, "explain a rule"),
        ("notices", _rules_notices, "declare the rules' notice types in Zeek's language"),
    ):
        described = text.capitalize() + "."
        parser = commands.add_parser(name, help=text, description=described, allow_abbrev=False)
        parser.add_argument("--rules", type=Path, metavar="DIR", help="instead of the shipped ones")
        if name == "show":
            parser.add_argument("rule", metavar="RULE", help="its id, or a pattern of ids")
        parser.set_defaults(command=command)


def _rules_list(options: argparse.Namespace) -> int:
    from analyzer.api import load_rules  # noqa: PLC0415 - as in analyzer.analyze_command
    from analyzer.writers.rules import render_list  # noqa: PLC0415

    show(functools.partial(render_list, load_rules(options.rules)))
    return DONE


def _rules_check(options: argparse.Namespace) -> int:
    from analyzer.api import load_rules  # noqa: PLC0415
    from analyzer.checking import check  # noqa: PLC0415
    from analyzer.writers.rules import render_check  # noqa: PLC0415

    status = DONE
    rules = load_rules(options.rules)
    for rule in rules:
        wrong = check(rule, beside=rules)
        show(functools.partial(render_check, rule, wrong))
        if wrong:
            status = FAILED
    return status


def _rules_show(options: argparse.Namespace) -> int:
    from analyzer.api import load_rules  # noqa: PLC0415
    from analyzer.rules import select  # noqa: PLC0415
    from analyzer.writers.rules import render_page  # noqa: PLC0415

    for rule in select(load_rules(options.rules), [options.rule], []):
        show(functools.partial(render_page, rule))
    return DONE


def _rules_notices(options: argparse.Namespace) -> int:
    from analyzer.api import load_rules  # noqa: PLC0415
    from analyzer.writers.zeek_types import notice_types  # noqa: PLC0415

    # The types of the shipped rules are in the Zeek package already.
    shipped = load_rules() if options.rules else ()
    text = notice_types(load_rules(options.rules), besides=shipped)
    show_text(text)
    return DONE
