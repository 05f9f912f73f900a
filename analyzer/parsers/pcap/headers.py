"""From packets to IP datagrams: link layer, IP, transport, tunnels, as Zeek reads them."""

from __future__ import annotations

from collections import Counter

from analyzer.parsers.pcap.batch_decoding import BatchDecoding, Memory
from analyzer.parsers.pcap.batches import PacketBatch, SegmentBatch
from analyzer.parsers.pcap.links import REASONS


class HeaderDecoder:
    """Finds the IP datagrams in packets, those in tunnels and fragments too.

    Beyond what :class:`analyzer.parsers.pcap.batches.SegmentBatch` says: ports are 0 for all but
    TCP, UDP and ICMP, because Zeek knows no others; a TCP segment with a broken header has an
    ``ip_lengths`` of :data:`analyzer.parsers.pcap.decoding_state.UNCOUNTED`; and ``tcp_flags`` of a
    UDP datagram may be :data:`analyzer.parsers.pcap.decoding_state.TOO_DEEP_FLAG`.
    """

    def __init__(self) -> None:
        self._memory = Memory()

    @property
    def skipped(self) -> Counter[str]:
        """How many frames and datagrams were passed over so far, by reason."""
        reasons: Counter[str] = Counter()
        counts = self._memory.skipped.tolist()
        reasons.update(dict(zip(REASONS, counts, strict=True)))
        reasons["fragment without the rest"] = self._memory.reassembler.pending
        for link, count in self._memory.unknown_links.items():
            reasons[f"unknown link type {link}"] = count
        return +reasons

    def decode(self, batch: PacketBatch) -> SegmentBatch:
        """The datagrams in a batch of packets; nothing in it can make this fail."""
        return BatchDecoding(batch, self._memory).run()
