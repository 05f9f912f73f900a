"""A capture from end to end: packets in, tables of connections and DNS transactions out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass

import pyarrow as pa

from analyzer.networks import NOT_ROUTED, LocalNetworks
from analyzer.parsers.pcap.batches import FlowBatch, SegmentBatch, Times
from analyzer.parsers.pcap.connections import ConnectionTable
from analyzer.parsers.pcap.container import Capture
from analyzer.parsers.pcap.dns_transactions import DnsTransactions
from analyzer.parsers.pcap.headers import HeaderDecoder
from analyzer.parsers.pcap.merging import merged
from analyzer.parsers.pcap.openings import look
from analyzer.parsers.pcap.prefetching import prefetched
from analyzer.parsers.pcap.services import ServiceIdentifier
from analyzer.parsers.pcap.slot_fields import SlotFields
from analyzer.parsers.pcap.tables import Tables
from analyzer.parsers.pcap.warming import Warming


@dataclass(frozen=True, slots=True)
class CaptureRows:
    """Records that became complete.

    Attributes:
        conn: connections that ended, with all columns of :data:`analyzer.records.CONN`.
        dns: DNS transactions, with those of :data:`analyzer.records.DNS`.
        server_names: names that clients gave servers on those connections, with those of
            :data:`analyzer.records.SSL`.
    """

    conn: pa.Table
    dns: pa.Table
    server_names: pa.Table


class CaptureReader:
    """Reads captures as one stream of packets, in order of time.

    What is kept is the open connections, so that memory does not grow with the captures. Packets
    are found and decoded on one core while connections are followed on another.

    Args:
        captures: the captures; faults and packet counts are left in them.
        local: tells which addresses are local; by default those that Zeek takes for it.
    """

    def __init__(self, captures: Sequence[Capture], local: LocalNetworks | None = None) -> None:
        self._captures = captures
        self._decoder = HeaderDecoder()
        self._connections = ConnectionTable()
        self._services = ServiceIdentifier()
        self._dns = DnsTransactions()
        self._tables = Tables(self._connections, local or LocalNetworks(NOT_ROUTED))

    @property
    def skipped(self) -> Counter[str]:
        """Packets that hold nothing to follow, by reason."""
        return self._decoder.skipped

    def __iter__(self) -> Iterator[CaptureRows]:
        with Warming(look) as warming, closing(prefetched(self._decoded())) as decoded:
            for segments, times in decoded:
                flow = self._connections.add(segments, times)
                warming.wait()
                yield self._rows(flow)
            yield self._rows(self._connections.finish())

    def _decoded(self) -> Generator[tuple[SegmentBatch, Times]]:
        for packets in merged(self._captures):
            yield self._decoder.decode(packets), packets.times

    def _rows(self, flow: FlowBatch) -> CaptureRows:
        slots = SlotFields(self._connections)
        self._services.observe(flow, slots)
        transactions = self._dns.observe(flow, self._connections)
        self._services.confirm(transactions.confirmed, "dns")
        self._services.withdraw(transactions.withdrawn, "dns")
        names = self._services.server_names(flow.ended)
        return CaptureRows(
            self._tables.conn(
                flow.ended, pa.array(self._services.services(flow.ended), pa.string())
            ),
            self._tables.dns(transactions),
            self._tables.server_names(flow.ended, pa.array(names, pa.string())),
        )
