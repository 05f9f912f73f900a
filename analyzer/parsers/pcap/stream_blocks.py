"""Bytes of TCP streams that came before those in front of them: a list of blocks for each stream.

Only where they are is kept. Blocks that touch are joined, and stand in order of where they begin.
"""

from __future__ import annotations

from analyzer.parsers.pcap.connection_state import Record, Records
from analyzer.parsers.pcap.parts import part, wide

BLOCK_LIMIT = 1024
"""Blocks a stream may have; more are treated as too much data without acknowledgement is. Zeek has
no such limit; without it, one segment could take as many steps as there were before it."""


@part
def release_block(endpoint: Record, number: int, blocks: Records, ledger: Record) -> None:
    """Take a block out of its list and give it back."""
    block = blocks[number]
    before, behind = wide(block.previous), wide(block.next)
    if before < 0:
        endpoint.first_block = behind
    else:
        blocks[before].next = behind
    if behind < 0:
        endpoint.last_block = before
    else:
        blocks[behind].previous = before
    endpoint.held -= block.end - block.start
    endpoint.blocks -= 1
    block.next = ledger.free_block
    ledger.free_block = number
    ledger.free_blocks += 1


@part
def clear_blocks(endpoint: Record, blocks: Records, ledger: Record) -> None:
    """Forget all bytes above holes."""
    while endpoint.first_block >= 0:
        release_block(endpoint, wide(endpoint.first_block), blocks, ledger)
    endpoint.buffered_to = 0


@part
def hold_block(endpoint: Record, start: int, end: int, blocks: Records, ledger: Record) -> bool:
    """Enter bytes above a hole in the list; there has to be a free block.

    Returns:
        Whether any of them are new.
    """
    behind = wide(-1)
    before = wide(endpoint.last_block)
    while before >= 0 and blocks[before].start > end:
        behind = before
        before = wide(blocks[before].previous)
    held = endpoint.held
    first, last = start, end
    while before >= 0 and blocks[before].end >= start:
        block = blocks[before]
        if block.start < first:
            first = block.start
        if block.end > last:
            last = block.end
        touching = before
        before = wide(block.previous)
        release_block(endpoint, touching, blocks, ledger)
    number = ledger.free_block
    block = blocks[number]
    ledger.free_block = block.next
    ledger.free_blocks -= 1
    block.start = first
    block.end = last
    block.previous = before
    block.next = behind
    if before < 0:
        endpoint.first_block = number
    else:
        blocks[before].next = number
    if behind < 0:
        endpoint.last_block = number
    else:
        blocks[behind].previous = number
    endpoint.held += last - first
    endpoint.blocks += 1
    are_new: bool = endpoint.held > held
    return are_new
