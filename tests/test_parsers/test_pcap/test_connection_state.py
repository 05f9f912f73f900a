"""The records that connections are kept in."""

from __future__ import annotations

import numpy as np
import pytest

from analyzer.parsers.pcap import connection_state
from analyzer.parsers.pcap.connection_state import CONNECTION, ENDPOINT, LEDGER, QUEUES, SPILL

CACHE_LINE = 64


@pytest.mark.parametrize(("kind", "lines"), [(CONNECTION, 3), (ENDPOINT, 3)])
def test_records_take_few_pieces_of_memory(kind: np.dtype[np.void], lines: int) -> None:
    assert kind.itemsize <= lines * CACHE_LINE
    assert kind.itemsize % 8 == 0
    assert kind.isalignedstruct


def test_what_every_datagram_needs_stands_together() -> None:
    for kind, names in (
        (CONNECTION, ("originator_high", "responder_low", "protocol", "flags", "seen_at")),
        (ENDPOINT, ("state", "flags", "start", "last", "acknowledged", "trimmed")),
    ):
        assert kind.fields is not None
        assert max(kind.fields[name][1] for name in names) < CACHE_LINE


def test_the_flags_of_a_record_are_different_bits() -> None:
    for names in (
        (
            "PARTIAL", "ACTIVE", "CLOSE_DEFERRED", "DEFERRED_REPORT", "ORIGINATOR_SEEN",
            "RESPONDER_SEEN", "DNS", "NTP", "FIRST_MESSAGE_SEEN", "DNS_GONE",
            "NTP_ORIGINATOR_FLIPPED", "NTP_RESPONDER_FLIPPED", "CARRIED", "TIMED",
        ),
        ("DID_CLOSE", "FIN_SEEN", "SKIPPING", "AT_END", "STREAM_LOST"),
    ):  # fmt: skip
        values = [getattr(connection_state, name) for name in names]
        assert sorted(values) == [1 << k for k in range(len(values))]


def test_states_are_in_zeeks_order() -> None:
    names = ("INACTIVE", "SYN_SENT", "SYN_ACK_SENT", "MIDSTREAM", "ESTABLISHED", "CLOSED", "RESET")
    assert [int(getattr(connection_state, name)) for name in names] == list(range(7))


def test_the_ledger_has_room_for_all_queues_and_letters() -> None:
    assert LEDGER["heads"].shape == LEDGER["tails"].shape == (QUEUES,)
    assert LEDGER["spilled_letters"].shape == LEDGER["parent_lows"].shape == (SPILL,)
