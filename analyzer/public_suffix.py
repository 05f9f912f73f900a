"""Registered domains, from the Public Suffix List (https://publicsuffix.org), without a network.

The list comes with the package ``publicsuffixlist``, private suffixes (``blogspot.com``) included.
It is applied to whole columns: a name's longest matching rule is found by joining its last labels
with the rules. Rules are matched as the list's own algorithm says: exceptions win over wildcards,
longer rules over shorter ones, and an unknown top-level domain is a suffix itself.
"""

from __future__ import annotations

from functools import cache
from importlib import resources
from typing import TYPE_CHECKING

import ibis
import pyarrow as pa

if TYPE_CHECKING:
    import ibis.expr.types as ir

_EXACT, _WILDCARD, _EXCEPTION = 0, 1, -1


@cache
def _rules() -> dict[str, int]:
    """Each rule without its mark, and how many labels its suffix has beyond its own.

    ``co.uk`` is itself a suffix (0), ``*.ck`` makes one of any label below it (1), and ``!www.ck``
    takes a label away again (-1).
    """
    rules: dict[str, int] = {}
    text = resources.files("publicsuffixlist").joinpath("public_suffix_list.dat")
    for line in text.read_text("utf-8").splitlines():
        rule = line.split(maxsplit=1)[0] if line.strip() else ""
        if not rule or rule.startswith("//"):
            continue
        extra = _EXACT
        if rule.startswith("*."):
            rule, extra = rule[2:], _WILDCARD
        elif rule.startswith("!"):
            rule, extra = rule[1:], _EXCEPTION
        spellings = {rule} if rule.isascii() else {rule, rule.encode("idna").decode("ascii")}
        for spelling in spellings:
            # A wildcard's base may be a suffix of its own; the wildcard covers both.
            rules[spelling] = extra if spelling not in rules else max(extra, rules[spelling])
    return rules


@cache
def _longest() -> int:
    return max(rule.count(".") + 1 for rule in _rules())


def suffix_rules() -> pa.Table:
    """The list's rules as rows: ``suffix`` and ``extra``, as :func:`_rules` says."""
    rules = _rules()
    return pa.table({"suffix": list(rules), "extra": pa.array(rules.values(), pa.int8())})


def registered_domain(names: ir.Table, rules: ir.Table) -> ir.Table:
    """Add the registered domain of every name: its public suffix and one label more.

    Args:
        names: a table with a string column ``name``, lower case, no trailing dot.
        rules: :func:`suffix_rules`, held by the engine.

    Returns:
        The table with a string column ``domain``, null where the name is a public suffix itself, or
        a single label.
    """
    labels = names.name.split(".")
    named = names.select("name", labels=labels, label_count=labels.length()).distinct()
    # A row for each of a name's ends that could be a rule; most are none, and only matches go on.
    ends = named.mutate(length=ibis.range(1, _longest() + 1).unnest())
    ends = ends.filter(ends.length <= ends.label_count)
    ends = ends.mutate(tail=_last(ends.labels, ends.label_count, ends.length))
    found = ends.join(rules, ends.tail == rules.suffix)
    deeper = ibis.ifelse(
        (found.extra == _WILDCARD) & (found.label_count == found.length), _EXACT, found.extra
    )
    # The longest match counts; an exception has more labels than the wildcard that it overrides.
    matched = found.group_by("name").aggregate(
        suffix_labels=(found.length + deeper).argmax(found.length)
    )
    with_suffix = named.left_join(matched, "name")
    wanted = with_suffix.suffix_labels.fill_null(1) + 1
    domain = _last(with_suffix.labels, with_suffix.label_count, wanted)
    domains = with_suffix.select(
        "name",
        domain=ibis.ifelse(with_suffix.label_count >= wanted, domain, ibis.null("string")),
    )
    return names.left_join(domains, "name").drop("name_right")


def domain_of(name: str) -> str | None:
    """The registered domain of one name, as :func:`registered_domain` has it; for a few names."""
    labels = name.split(".")
    rules, suffix = _rules(), 1
    for length in range(1, min(len(labels), _longest()) + 1):
        extra = rules.get(".".join(labels[-length:]))
        if extra is not None:
            suffix = length + (_EXACT if extra == _WILDCARD and length == len(labels) else extra)
    return ".".join(labels[-suffix - 1 :]) if len(labels) > suffix else None


def _last(
    labels: ir.ArrayValue, count: ir.IntegerValue, length: int | ir.IntegerValue
) -> ir.StringValue:
    return labels[ibis.greatest(count - length, 0) :].join(".")
