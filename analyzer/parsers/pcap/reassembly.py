"""What of a TCP stream has come, is missing, and is still awaited.

The bytes themselves are not kept: only where they were. Zeek's src/Reassem.cc and
src/analyzer/protocol/tcp/TCP_Reassembler.cc, whose blocks of bytes are ranges here: one range up
to ``delivered``, and those above holes.
"""

from __future__ import annotations

from analyzer.parsers.pcap.connection_history import add_scaled
from analyzer.parsers.pcap.connection_state import (
    CLOSED,
    ESTABLISHED,
    FIN_SEEN,
    INACTIVE,
    PARTIAL,
    RESET,
    SKIPPING,
    STREAM_LOST,
    SYN_SENT,
    Record,
    Records,
)
from analyzer.parsers.pcap.flow_events import GAP, note_event
from analyzer.parsers.pcap.parts import expanded, number, part, wide
from analyzer.parsers.pcap.stream_blocks import (
    BLOCK_LIMIT,
    clear_blocks,
    hold_block,
    release_block,
)

MAX_INITIAL_WINDOW = 16384
MAX_ABOVE_HOLE_WITHOUT_ACKS = 16384
EXCESSIVE_DATA_WITHOUT_ACKS = 10 * 1024 * 1024
"""Bytes: tcp_max_initial_window, tcp_max_above_hole_without_any_acks and
tcp_excessive_data_without_further_acks of Zeek's scripts/base/init-bare.zeek."""

_NONE = number(0)
_GAP_CODE = number(ord("G"))


@expanded
def nothing_acknowledged(endpoint: Record) -> bool:
    """Whether at most the SYN of an endpoint was acknowledged (NoDataAcked)."""
    ahead = endpoint.acknowledged + (endpoint.acknowledged_wraps << 32) - endpoint.start
    nothing: bool = ahead == 0 or ahead == 1
    return nothing


@part
def stream_size(endpoint: Record, peer: Record) -> int:
    """Payload bytes of an endpoint by its sequence numbers (TCP_Endpoint::Size)."""
    if (
        endpoint.previous_state == SYN_SENT
        and endpoint.state == RESET
        and peer.state == INACTIVE
        and not nothing_acknowledged(endpoint)
    ):
        return 0
    past: int = endpoint.last + (endpoint.last_wraps << 32)
    acknowledged = endpoint.acknowledged + (endpoint.acknowledged_wraps << 32)
    if acknowledged > past:
        past = acknowledged
    size: int = past - endpoint.start
    if size != 0:
        size -= 1
    if endpoint.flags & FIN_SEEN and size != 0:
        size -= 1
    return size


@part
def data_pending(endpoint: Record, peer: Record) -> bool:
    """Whether an endpoint's end of stream has to wait for bytes or acknowledgements."""
    if endpoint.flags & SKIPPING:
        return False
    delivered = endpoint.start + endpoint.delivered
    last = endpoint.last + (endpoint.last_wraps << 32)
    if last < delivered:
        return False
    if delivered != last - 1 and delivered != last:
        return True
    pending: bool = endpoint.state != RESET and peer.buffered_to > peer.trimmed
    return pending


@expanded
def _is_clean(endpoint: Record) -> bool:
    clean: bool = endpoint.state == ESTABLISHED or (
        endpoint.state == CLOSED and endpoint.previous_state == ESTABLISHED
    )
    return clean


@part
def _gap(
    length: int, slot: int, connection: Record, endpoint: Record, peer: Record,
    events: Records, ledger: Record,
) -> None:  # fmt: skip
    if _is_clean(endpoint) and _is_clean(peer):
        endpoint.gaps += 1
        add_scaled(connection, endpoint, _GAP_CODE, endpoint.gaps, ledger)
        connection.missed_bytes += length
    endpoint.flags |= STREAM_LOST
    note_event(
        GAP, slot, connection, endpoint, connection.last_time,
        _NONE, _NONE, length, endpoint.delivered - 1, events, ledger,
    )  # fmt: skip


@part
def _deliver(endpoint: Record, peer: Record, blocks: Records, ledger: Record) -> None:
    """Go on to the next hole (BlockInserted)."""
    while endpoint.first_block >= 0:
        number = wide(endpoint.first_block)
        if blocks[number].start > endpoint.delivered:
            break
        if blocks[number].end > endpoint.delivered:
            endpoint.delivered = blocks[number].end
        endpoint.flags |= STREAM_LOST
        release_block(endpoint, number, blocks, ledger)
    if (
        endpoint.delivered > endpoint.trimmed
        and nothing_acknowledged(endpoint)
        and stream_size(endpoint, peer) > MAX_INITIAL_WINDOW
    ):
        endpoint.trimmed = endpoint.delivered


@part
def _give_up(endpoint: Record, blocks: Records, ledger: Record) -> None:
    """Follow a stream no further where its acknowledgements are not in the capture."""
    unacknowledged = endpoint.delivered - endpoint.trimmed + endpoint.held
    if endpoint.buffered_to > endpoint.trimmed and (
        unacknowledged > EXCESSIVE_DATA_WITHOUT_ACKS
        or endpoint.blocks > BLOCK_LIMIT
        or (
            nothing_acknowledged(endpoint)
            and endpoint.buffered_to - endpoint.delivered > MAX_ABOVE_HOLE_WITHOUT_ACKS
        )
    ):
        clear_blocks(endpoint, blocks, ledger)
        endpoint.flags |= SKIPPING


@part
def data_sent(
    first: int, length: int, endpoint: Record, peer: Record, blocks: Records, ledger: Record
) -> bool:
    """Note bytes of a stream that came whole; there has to be a free block.

    Args:
        first: relative sequence number of the first.
        length: how many, at least one.
        endpoint: who sent them.
        peer: the other end.
        blocks: all blocks.
        ledger: where the free ones are.

    Returns:
        Whether any of them were missing so far.
    """
    past = first + length
    acknowledged = endpoint.acknowledged + (endpoint.acknowledged_wraps << 32) - endpoint.start
    begin = first
    if acknowledged > begin:
        begin = acknowledged
    if endpoint.trimmed > begin:
        begin = endpoint.trimmed
    new = False
    if past > begin and not endpoint.flags & SKIPPING:
        if begin > endpoint.delivered:
            new = hold_block(endpoint, begin, past, blocks, ledger)
        elif past > endpoint.delivered:
            new = True
            endpoint.delivered = past
            _deliver(endpoint, peer, blocks, ledger)
        if past > endpoint.buffered_to:
            endpoint.buffered_to = past
        _give_up(endpoint, blocks, ledger)
    return new


@part
def _settle(
    up_to: int, slot: int, connection: Record, endpoint: Record, peer: Record,
    blocks: Records, events: Records, ledger: Record,
) -> None:  # fmt: skip
    """Take all up to an acknowledged byte for delivered: what never came is a gap."""
    if up_to > endpoint.delivered and not (up_to <= 2 and connection.flags & PARTIAL):
        if not endpoint.flags & SKIPPING:
            while endpoint.first_block >= 0 and blocks[endpoint.first_block].start < up_to:
                missing = blocks[endpoint.first_block].start - endpoint.delivered
                _gap(missing, slot, connection, endpoint, peer, events, ledger)
                endpoint.delivered += missing
                _deliver(endpoint, peer, blocks, ledger)
            if up_to > endpoint.delivered:
                missing = up_to - endpoint.delivered
                _gap(missing, slot, connection, endpoint, peer, events, ledger)
        if up_to > endpoint.delivered:
            endpoint.delivered = up_to
    while endpoint.first_block >= 0 and blocks[endpoint.first_block].end <= up_to:
        release_block(endpoint, wide(endpoint.first_block), blocks, ledger)
    if endpoint.first_block >= 0 and blocks[endpoint.first_block].start <= endpoint.delivered:
        _deliver(endpoint, peer, blocks, ledger)


@part
def acknowledge(
    number: int, slot: int, connection: Record, endpoint: Record, peer: Record,
    blocks: Records, events: Records, ledger: Record,
) -> bool:  # fmt: skip
    """Note what the peer acknowledged (AckReceived).

    There has to be room for one event more than there are blocks.

    Args:
        number: relative sequence number of the byte the peer expects next.
        slot: place of the connection.
        connection: the connection.
        endpoint: whose bytes they are.
        peer: who acknowledged them.
        blocks: all blocks.
        events: where gaps are noted.
        ledger: the counters.

    Returns:
        Whether this was news.
    """
    up_to = number
    if endpoint.flags & FIN_SEEN and 0 < endpoint.fin_sequence <= number:
        up_to = endpoint.fin_sequence - 1
    news: bool = up_to > endpoint.trimmed
    if news:
        if up_to > endpoint.delivered or endpoint.first_block >= 0:
            _settle(up_to, slot, connection, endpoint, peer, blocks, events, ledger)
        if up_to > endpoint.trimmed:
            endpoint.trimmed = up_to
    return news
