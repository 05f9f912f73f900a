"""Queries and responses paired as Zeek pairs them.

Within a connection they pair by transaction id, first in first out, and either may come first. What
stays alone waits until the connection ends, or until there is too much of it. Source: Zeek 8.2's
``base/protocols/dns/main.zeek``, ``set_session``, ``dns_end`` and ``finalize_dns``: the first query
waits in ``pending_query``, others in ``pending_queries``, responses in ``pending_replies``, and
``c$dns`` is the transaction that the last message belongs to.
"""

from __future__ import annotations

import numpy as np

from analyzer.parsers.pcap.batches import Counts, Times
from analyzer.parsers.pcap.compiled import compiled
from analyzer.parsers.pcap.dns_messages import NOTIFY, ON_NETBIOS, QUERY, UPDATE, Messages
from analyzer.parsers.pcap.dns_queues import (
    CONFIRMED,
    FREE,
    UNDECIDED,
    UNUSED,
    WITHDRAWN,
    State,
    emit,
    enqueue,
    log,
    pop,
)
from analyzer.parsers.pcap.dns_records import Records

FORGIVING_BYTES = 10 * 1024
"""Bytes on a connection after which violations do not matter: ``DPD::ignore_violations_after``
(``base/frameworks/analyzer/dpd.zeek``)."""

ENDED = -1
"""Instead of a message: the connection has ended."""

_RESPONSE = 0x8000


@compiled
def _free(transactions: Records, cells: Counts, which: int) -> None:
    """Free a transaction, unless there is none or it waits."""
    transaction = transactions[which]
    if which != 0 and transaction.queued == 0:
        transaction.live = 0
        transaction.next = cells[FREE]
        cells[FREE] = which


@compiled
def _transaction_of(
    state: State, slot: int, identity: int, response: bool, time: float, queues: Counts
) -> int:
    """The transaction that a message belongs to, from now on the current one."""
    transactions, cells = state.transactions, state.cells
    known = state.slots[slot]
    which: int = known.waiting
    if response and which != 0 and transactions[which].identity == identity:
        transactions[which].queued = 0
        # Another query takes its place, one with the same id if there is one.
        waiting = pop(transactions, known.queries, identity, queues)
        if waiting == 0:
            oldest = transactions[known.queries].identity
            waiting = pop(transactions, known.queries, oldest, queues)
        known.queries = queues[0]
        known.query_ids -= queues[1]
        known.waiting = waiting
        if waiting != 0:
            transactions[waiting].queued = 1
    else:
        which = pop(transactions, known.queries if response else known.responses, identity, queues)
        if response:
            known.queries = queues[0]
            known.query_ids -= queues[1]
        else:
            known.responses = queues[0]
            known.response_ids -= queues[1]
    fresh = which == 0
    if fresh:
        which = cells[FREE]
        if which != 0:
            cells[FREE] = transactions[which].next
        else:
            which = cells[UNUSED]
            cells[UNUSED] += 1
        for word in range(state.words.shape[1]):
            state.words[which, word] = state.words[0, word]
        transaction = transactions[which]
        transaction.started = time
        transaction.slot = slot
        transaction.identity = identity
        transaction.live = 1
    if known.current != which:
        _free(transactions, cells, known.current)
    known.current = which
    if fresh:
        transactions[which].queued = 1
        if response:
            known.responses, known.response_ids = enqueue(
                state, which, known.responses, known.response_ids
            )
        elif known.waiting == 0:
            known.waiting = which
        else:
            known.queries, known.query_ids = enqueue(state, which, known.queries, known.query_ids)
    return which


@compiled
def pair(
    messages: Messages,
    found: Records,
    duties: Counts,
    steps: Counts,
    slots: Counts,
    times: Times,
    state: State,
) -> None:
    """Add messages to their transactions, and log those that are whole or whose connection ended.

    Args:
        messages: the messages.
        found: what is found in them, :data:`~.dns_messages.FINDING`.
        duties: what comes one after the other: numbers of messages, or :data:`ENDED`.
        steps: number of the packet that brought each, from 1, which only grows.
        slots: the connection of each.
        times: when each came.
        state: what is known. For each message there has to be a transaction to spare, and a place
            in the other arrays; in the rows also one for each transaction.
    """
    cells = state.cells
    queues = np.empty(2, np.int64)
    for duty in range(duties.size):
        message, slot, time = duties[duty], slots[duty], times[duty]
        known = state.slots[slot]
        which = known.current
        if message == ENDED:
            _free(state.transactions, cells, which)
            if known.waiting != 0:
                # The first query is a queue of its own before the others.
                first = state.transactions[known.waiting]
                first.length = 1
                first.next_queue = known.queries
                log(state, known.waiting)
            log(state, known.responses)
            known.analyzed = UNDECIDED
            known.bytes = known.confirmed = known.given_up = known.current = known.waiting = 0
            known.queries = known.query_ids = known.responses = known.response_ids = 0
            continue
        if known.given_up != 0 and known.given_up != steps[duty]:
            continue
        finding = found[message]
        begin, end = messages.starts[message], messages.ends[message]
        known.bytes += end - begin
        flags = finding.flags
        opcode = (flags >> 11) & 15
        followed = opcode == QUERY or opcode == UPDATE or opcode == NOTIFY
        if not followed and messages.netbios[message] & ON_NETBIOS == 0:
            continue
        response = flags & _RESPONSE != 0
        if followed:
            which = _transaction_of(state, slot, finding.identity, response, time, queues)
        transaction = state.transactions[which]
        if followed:
            transaction.opcode = opcode
            transaction.netbios = messages.netbios[message]
        if followed and response:
            transaction.response_code = flags & 15
            if flags & 15 != 0 and finding.questions == 0:
                transaction.rejected = 1
            if finding.owner >= 0:
                transaction.authoritative = (flags >> 10) & 1
                transaction.available = (flags >> 7) & 1
                transaction.response = begin
                transaction.response_end = end
                transaction.response_name = finding.owner
                # A transaction that begins with its response has no round trip.
                if time != transaction.started:
                    transaction.round_trip = time - transaction.started
        elif followed and finding.name >= 0:
            transaction.desired = (flags >> 8) & 1
            transaction.truncated = (flags >> 9) & 1
            transaction.reserved = (flags >> 4) & 7
            transaction.type = finding.type
            transaction.family = finding.family
            transaction.query = begin
            transaction.query_end = finding.name_end
            transaction.query_name = finding.name
        # A message that is not followed still ends the transaction of the one before it.
        if which != 0:
            if response and finding.records == 0 and finding.name >= 0:
                transaction.rejected = 1
            if finding.ends == 1:
                if response:
                    transaction.saw_response = 1
                else:
                    transaction.saw_query = 1
                if transaction.saw_response == 1 and transaction.saw_query == 1:
                    emit(state, which)
                    known.current = 0
                    _free(state.transactions, cells, which)
        if finding.complete == 1 and known.confirmed == 0:
            known.confirmed = 1
            state.confirmed[cells[CONFIRMED]] = slot
            cells[CONFIRMED] += 1
        if finding.violates == 1 and known.bytes <= FORGIVING_BYTES:
            known.given_up = steps[duty]
            if known.confirmed == 1:
                known.confirmed = 0
                state.withdrawn[cells[WITHDRAWN]] = slot
                cells[WITHDRAWN] += 1
