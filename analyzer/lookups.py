"""What DNS said: which names led where, and the registered domain of every name.

A name is asked for hundreds of times and answered alike, so both tables are small, and what is
asked of every name is worked out for each of them once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import ibis

from analyzer.features import plain_name
from analyzer.public_suffix import registered_domain

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from analyzer.records import Records

# The longest address is an IPv6 one that ends like an IPv4 one (INET6_ADDRSTRLEN, without the null
# byte); tunnels answer with longer texts, a different one to every question.
_LONGEST_ADDRESS = 45


def answers(records: Records) -> ir.Table:
    """Which answers each name got, whoever asked: a row per query and answer.

    Columns: ``query`` (as logged), ``name`` (lower case, no trailing dot; both null where Zeek saw
    the answer alone), ``address`` (an answer that may be an address: texts too long for one are
    left out), ``times`` (how often it was given). Computed once per run.
    """
    dns = records.dns.filter(records.dns.answers.notnull())
    each = dns.select("query", address=dns.answers.unnest())
    told = each.group_by("query", "address").aggregate(times=each.count())
    told = told.filter(told.address.length() <= _LONGEST_ADDRESS)
    return records.keep(told.mutate(name=plain_name(told)), "answers")


def name_domains(asked: ir.Table, told: ir.Table, rules: ir.Table, records: Records) -> ir.Table:
    """The registered domain of every name that was asked for or answered.

    Columns: ``name``, ``domain`` (null for a public suffix and a single label). Computed once per
    run.

    Args:
        asked: from :func:`analyzer.features.asked_names`.
        told: from :func:`answers`.
        rules: from :func:`analyzer.public_suffix.suffix_rules`, held by the engine.
        records: where to keep it.
    """
    every = ibis.union(asked.select("name"), told.select("name"), distinct=True)
    names = records.keep(every.filter(every.name.notnull()), "distinct_names")
    return records.keep(registered_domain(names, rules), "name_domains")
