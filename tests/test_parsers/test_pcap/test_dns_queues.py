from __future__ import annotations

import numpy as np

from analyzer.parsers.pcap.dns_queues import (
    CELLS,
    FREE,
    MAX_IDS,
    MAX_MESSAGES,
    ROWS,
    SLOT,
    TRANSACTION,
    State,
    enqueue,
    log,
    pop,
)

WORDS = TRANSACTION.itemsize // 8


def state(*identities: int) -> State:
    """State with transactions from 1 on that have these ids."""
    transactions = np.zeros(1 + len(identities), TRANSACTION)
    transactions["identity"][1:] = identities
    transactions["live"][1:] = 1
    return State(
        slots=np.zeros(0, SLOT),
        transactions=transactions,
        words=transactions.view(np.int64).reshape(-1, WORDS),
        rows=np.zeros((2 * len(transactions), WORDS), np.int64),
        confirmed=np.zeros(0, np.int64),
        withdrawn=np.zeros(0, np.int64),
        cells=np.zeros(CELLS, np.int64),
    )


def logged(known: State) -> list[int]:
    """Identities of the transactions that were logged."""
    rows: list[int] = known.rows[: known.cells[ROWS]].view(TRANSACTION)["identity"].ravel().tolist()
    return rows


def filled(known: State) -> tuple[int, int]:
    """All of its transactions in queues: the first queue, and how many there are."""
    head = ids = 0
    for which in range(1, len(known.transactions)):
        head, ids = enqueue(known, which, head, ids)
    return head, ids


def take(known: State, head: int, ids: int, identity: int) -> tuple[int, int, int]:
    queues = np.zeros(2, np.int64)
    which = pop(known.transactions, head, identity, queues)
    return which, int(queues[0]), ids - int(queues[1])


def test_first_in_first_out_by_id() -> None:
    known = state(7, 8, 7, 9, 7, 8)
    head, ids = filled(known)
    assert ids == 3
    order = []
    for identity in (8, 7, 7, 9, 7, 8, 7):
        which, head, ids = take(known, head, ids, identity)
        order.append(which)
    assert order == [2, 1, 3, 4, 5, 6, 0]
    assert (head, ids) == (0, 0)


def test_an_unknown_id_leaves_the_queues() -> None:
    known = state(7, 8)
    head, ids = filled(known)
    assert take(known, head, ids, 9) == (0, head, 2)


def test_logging_frees() -> None:
    known = state(7, 8, 7)
    head, _ = filled(known)
    log(known, head)
    assert logged(known) == [7, 7, 8]
    assert known.transactions["live"].tolist() == [0, 0, 0, 0]
    free = int(known.cells[FREE])
    chain = []
    while free:
        chain.append(free)
        free = int(known.transactions["next"][free])
    assert sorted(chain) == [1, 2, 3]


def test_too_many_of_an_id_are_logged() -> None:
    known = state(1, *[7] * (MAX_MESSAGES + 2), 2)
    head, ids = filled(known)
    assert ids == 3
    assert logged(known) == [7] * (MAX_MESSAGES + 1)
    which, head, ids = take(known, head, ids, 7)
    assert which == MAX_MESSAGES + 3
    assert take(known, head, ids, 7)[0] == 0
    assert take(known, head, ids, 1)[0] == 1


def test_too_many_ids_are_all_logged() -> None:
    known = state(*range(100, 100 + MAX_IDS + 2))
    head, ids = filled(known)
    assert ids == 1
    assert logged(known) == list(range(100, 100 + MAX_IDS + 1))
    assert take(known, head, ids, 100 + MAX_IDS + 1)[0] == MAX_IDS + 2
