"""The notice types of rules as a Zeek script, so that a sensor knows what findings are called.

Zeek has no notice without a type that a script declares: ``base/frameworks/notice/main.zeek`` has
every script add its own to ``Notice::Type``. The text is as ``zeek-format`` leaves it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from analyzer.writers.ownership import NOTICE_PREFIX

if TYPE_CHECKING:
    from analyzer.rules import Rule

_BEGINNING = """\
##! The notice types of zeek-analyzer's rules.
##!
##! Made from the rules by "zeek-analyzer rules notices": do not edit.

@load base/frameworks/notice

module ZeekAnalyzer;

export {
\tredef enum Notice::Type += {
"""

_END = """\
\t};
}
"""


def notice_types(rules: Iterable[Rule], besides: Iterable[Rule] = ()) -> str:
    """A Zeek script that declares the notice types of rules, each once and in order of name.

    The comment of a type says what each rule that has it finds, and with which techniques.

    Args:
        rules: whose types to declare.
        besides: rules whose types are declared elsewhere. Zeek refuses a type that is declared
            twice, so these are left out.
    """
    declared = {rule.notice for rule in besides}
    by_notice: dict[str, list[Rule]] = {}
    for rule in rules:
        if rule.notice not in declared:
            by_notice.setdefault(rule.notice, []).append(rule)
    if not by_notice:
        # An enum that is extended by nothing is a syntax error.
        return _BEGINNING.partition("export")[0]
    types = "".join(_type(notice, by_notice[notice]) for notice in sorted(by_notice))
    return _BEGINNING + types + _END


def _type(notice: str, rules: Iterable[Rule]) -> str:
    lines = []
    for rule in sorted(rules, key=lambda rule: rule.id):
        techniques = ", ".join(technique.id for technique in rule.techniques)
        # A line feed in a title would end the comment.
        title = " ".join(rule.title.split())
        lines.append(f"\t\t## {title} (rule {rule.id}; ATT&CK {techniques}).\n")
    return "".join(lines) + f"\t\t{notice.removeprefix(NOTICE_PREFIX)},\n"
