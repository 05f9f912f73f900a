"""DNS transactions, and the queues in which those wait that are only one half.

A queue is a list of transactions with the same id, and the first of each queue leads to the next
one. Source: Zeek 8.2's ``base/protocols/dns/main.zeek``, ``enqueue_new_msg``, ``pop_msg`` and
``log_unmatched_msgs``.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from analyzer.parsers.pcap.batches import Counts
from analyzer.parsers.pcap.compiled import compiled
from analyzer.parsers.pcap.dns_records import Records

MAX_MESSAGES, MAX_IDS = 50, 50
"""Zeek's ``max_pending_msgs`` and ``max_pending_query_ids``."""

SLOT = np.dtype(
    [
        ("analyzed", "i8"),  # how Zeek analyzes the connection
        ("netbios", "i8"),  # bits of its messages, dns_messages.py
        ("bytes", "i8"),  # seen of it
        ("confirmed", "i8"),  # 1 if it is confirmed to be DNS
        ("given_up", "i8"),  # step at which Zeek gave up on it, 0 if it has not
        ("current", "i8"),  # c$dns, the transaction of the last message
        ("waiting", "i8"),  # pending_query
        ("queries", "i8"),  # the first queue of pending_queries
        ("query_ids", "i8"),  # how many queues there are
        ("responses", "i8"),  # the first queue of pending_replies
        ("response_ids", "i8"),
    ],
    align=True,
)
"""What is known of a slot of the connection table. Transactions are numbers from 1, 0 is none."""

UNDECIDED, DATAGRAMS, STREAM, OTHER = range(4)
"""No payload seen yet; DNS over UDP; DNS over TCP; something that Zeek does not take for DNS."""

TRANSACTION = np.dtype(
    [
        ("started", "f8"),  # when it began
        ("round_trip", "f8"),  # seconds from there to the answer, NaN for unset
        ("slot", "i8"),
        ("identity", "i8"),
        ("netbios", "i8"),  # bits of its messages, dns_messages.py
        ("opcode", "i8"),
        ("response_code", "i8"),  # -1 for unset, likewise type
        ("type", "i8"),
        ("family", "i8"),  # its class
        ("authoritative", "i8"),
        ("truncated", "i8"),
        ("desired", "i8"),
        ("available", "i8"),
        ("reserved", "i8"),
        ("rejected", "i8"),
        ("query", "i8"),  # where the query begins that is kept of it
        ("query_end", "i8"),
        ("query_name", "i8"),  # where the name asked for begins in it, -1 for none
        ("response", "i8"),  # likewise its response, and the name of the first answer
        ("response_end", "i8"),
        ("response_name", "i8"),
        ("saw_query", "i8"),
        ("saw_response", "i8"),
        ("live", "i8"),  # 1 while it is in use
        ("queued", "i8"),  # 1 while it waits
        ("next", "i8"),  # the next one in its queue, or the next free one
        ("next_queue", "i8"),  # of the first in a queue: the first of the next,
        ("last", "i8"),  # the last of its own,
        ("length", "i8"),  # and how many there are
    ],
    align=True,
)
"""A transaction, as far as it is known."""

UNUSED, FREE, ROWS, CONFIRMED, WITHDRAWN, CELLS = range(6)
"""Cells of state: the first transaction never used, the first free one, how many rows are to be
logged, how many connections are newly confirmed to be DNS, and how many are no longer."""


class State(NamedTuple):
    """What is known between messages, and what becomes of it.

    Attributes:
        slots: :data:`SLOT` of each slot.
        transactions: the transactions, :data:`TRANSACTION`; the first is what new ones are like.
        words: the same memory in rows of words, to be copied.
        rows: words of transactions to be logged, in order, as they were at that time.
        confirmed: slots newly confirmed to be DNS.
        withdrawn: slots that are no longer.
        cells: single numbers.
    """

    slots: Records
    transactions: Records
    words: Counts
    rows: Counts
    confirmed: Counts
    withdrawn: Counts
    cells: Counts


@compiled
def emit(state: State, which: int) -> None:
    """Log a transaction as it is."""
    row = state.cells[ROWS]
    for word in range(state.rows.shape[1]):
        state.rows[row, word] = state.words[which, word]
    state.cells[ROWS] = row + 1


@compiled
def pop(transactions: Records, head: int, identity: int, queues: Counts) -> int:
    """Take the oldest transaction with an id out of its queue; 0 if there is none.

    Args:
        transactions: the transactions.
        head: the first of the first queue.
        identity: the id.
        queues: what the first queue is afterwards, and by how much fewer there are.
    """
    queues[0], queues[1] = head, 0
    previous = 0
    while head != 0 and transactions[head].identity != identity:
        previous = head
        head = transactions[head].next_queue
    if head == 0:
        return 0
    first = transactions[head]
    first.queued = 0
    successor = first.next_queue
    if first.length > 1:
        successor = first.next
        following = transactions[successor]
        following.next_queue = first.next_queue
        following.last = first.last
        following.length = first.length - 1
    else:
        queues[1] = 1
    if previous == 0:
        queues[0] = successor
    else:
        transactions[previous].next_queue = successor
    return head


@compiled
def log(state: State, head: int) -> None:
    """Log transactions that wait, and free them.

    Args:
        state: what is known.
        head: the first of a queue, which leads to others, or 0.
    """
    while head != 0:
        first = state.transactions[head]
        following = first.next_queue
        for _ in range(first.length):
            emit(state, head)
            transaction = state.transactions[head]
            successor = transaction.next
            transaction.live = 0
            transaction.next = state.cells[FREE]
            state.cells[FREE] = head
            head = successor
        head = following


@compiled
def enqueue(state: State, which: int, head: int, ids: int) -> tuple[int, int]:
    """Let a new transaction wait behind those with its id; too many are logged as they are.

    Args:
        state: what is known.
        which: the transaction.
        head: the first of the first queue.
        ids: how many queues there are.

    Returns:
        The first of the first queue, and how many there are, with the new one.
    """
    transactions = state.transactions
    transaction = transactions[which]
    transaction.next_queue = 0
    transaction.last = which
    transaction.length = 1
    first = head
    previous = 0
    while head != 0 and transactions[head].identity != transaction.identity:
        previous = head
        head = transactions[head].next_queue
    if head != 0 and transactions[head].length <= MAX_MESSAGES:
        queue = transactions[head]
        transactions[queue.last].next = which
        queue.last = which
        queue.length += 1
        return first, ids
    if head != 0:
        transaction.next_queue = transactions[head].next_queue
        transactions[head].next_queue = 0
    elif ids > MAX_IDS:
        head = first
        previous = 0
        ids = 1
    else:
        ids += 1
    log(state, head)
    if previous == 0:
        return which, ids
    transactions[previous].next_queue = which
    return first, ids
