"""The history of a connection: a letter for what happened, upper case for the originator.

Zeek src/session/Session.h (CheckHistory, ScaledHistoryEntry).
"""

from __future__ import annotations

from analyzer.parsers.pcap.connection_state import HISTORY_INLINE, Record
from analyzer.parsers.pcap.parts import expanded, part

RESPONDER_SHIFT = 16
"""The responder's letters are remembered so many bits above the originator's."""

HISTORY_LIMIT = 65535
"""Letters a history can have; Zeek's has no limit, and every RST can add one."""

LOWER = 32
"""What makes a letter lower case."""


@part
def add_letter(connection: Record, letter: int, ledger: Record) -> None:
    """Add a letter; the spill has to have room."""
    length = connection.history_length
    if length < HISTORY_INLINE:
        connection.history[length] = letter
    elif length < HISTORY_LIMIT:
        ledger.spilled_serials[ledger.spilled] = connection.serial
        ledger.spilled_letters[ledger.spilled] = letter
        ledger.spilled += 1
    else:
        return
    connection.history_length = length + 1


@expanded
def add_code(connection: Record, endpoint: Record, code: int, ledger: Record) -> None:
    """Add a letter in the case of an endpoint's role."""
    if endpoint.side != connection.originator_side:
        code += LOWER
    add_letter(connection, code, ledger)


@part
def check_history(
    connection: Record, endpoint: Record, mask: int, code: int, ledger: Record
) -> bool:
    """Add a letter in the case of an endpoint's role, unless that was done; whether it was."""
    if endpoint.side != connection.originator_side:
        mask <<= RESPONDER_SHIFT
        code += LOWER
    if connection.history_seen & mask:
        return True
    connection.history_seen |= mask
    add_letter(connection, code, ledger)
    return False


@part
def add_scaled(connection: Record, endpoint: Record, code: int, count: int, ledger: Record) -> None:
    """Add a letter at the first, the tenth, the hundredth ... time."""
    threshold = 1
    while threshold < count:
        threshold *= 10
    if threshold == count:
        add_code(connection, endpoint, code, ledger)
