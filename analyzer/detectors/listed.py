"""What local hosts had to do with listed addresses, networks and domains.

Lists are small beside the records, so they are joined with what is computed once for all rules, and
only what matches is looked at closer.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from analyzer.detectors.detection import Shared, shared_conversations
from analyzer.features import asked_names, plain_name
from analyzer.indicators import Indicator, domain_and_parents

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from analyzer.records import Records


@dataclass(frozen=True, slots=True)
class Traffic:
    """What passed between a host and one address.

    Attributes:
        address: the other side.
        connections: how many connections there were.
        answered: whether any was answered.
        bytes_out: payload of those who began them.
        bytes_in: payload of those who answered.
        port: the port tried, None if there were several.
        proto: the protocol, None if there were several.
    """

    address: str
    connections: int
    answered: bool
    bytes_out: float
    bytes_in: float
    port: int | None
    proto: str | None


@dataclass(slots=True)
class Match:
    """What one host had to do with one indicator.

    Attributes:
        first: when it began.
        last: when it ended.
        reached: connections of the host to it, or to where a listed domain led.
        visits: connections of it to the host.
        queries: how often the host asked for a listed name.
        refused: how often the answer was that there is no such name.
        asked: the names that it asked for.
        pointed: how often the answer to another question held it.
        pointers: the names of those questions.
        named: connections in which the host called the other side by a listed name.
        names: those names.
    """

    first: float = float("inf")
    last: float = float("-inf")
    reached: list[Traffic] = field(default_factory=list)
    visits: list[Traffic] = field(default_factory=list)
    queries: int = 0
    refused: int = 0
    asked: set[str] = field(default_factory=set)
    pointed: int = 0
    pointers: set[str] = field(default_factory=set)
    named: int = 0
    names: set[str] = field(default_factory=set)

    def spans(self, row: dict[str, Any]) -> None:
        """Let it last from the first to the last time of a row."""
        self.first = min(self.first, row["first"])
        self.last = max(self.last, row["last"])


class Matches:
    """Every match of a run's records with its indicators.

    Attributes:
        found: the match of each host and indicator, by the host and the indicator's place.
    """

    def __init__(self, records: Records, shared: Shared) -> None:
        self._records = records
        self._shared = shared
        self.found: dict[tuple[str, int], Match] = {}
        listed = records.indicators
        self._domains = {one.value: i for i, one in enumerate(listed) if one.kind == "domain"}
        self._answers = self._every_answer()
        self._addresses = self._listed_addresses(listed)
        if records.counts["conn"]:
            self._add_contacts()
        if records.counts["dns"]:
            self._add_pointers()
        if self._domains:
            zones = sorted({".".join(domain.rsplit(".", 2)[-2:]) for domain in self._domains})
            self._zones = records.keep(pa.table({"zone": zones}), "listed_zones")
            if records.counts["dns"]:
                self._add_lookups()
            if records.counts["conn"]:
                self._add_server_names()

    def _of(self, row: dict[str, Any]) -> Match:
        match = self.found.setdefault((row["host"], row["indicator"]), Match())
        match.spans(row)
        return match

    def _listed_addresses(self, listed: Sequence[Indicator]) -> ir.Table:
        """Each listed address, and each of the records in a listed network, with its indicator."""
        places = {one.value: i for i, one in enumerate(listed) if one.kind == "address"}
        subnets = [(one.value, i) for i, one in enumerate(listed) if one.kind == "subnet"]
        if subnets:
            places = longest_prefixes(self._every_address(), subnets) | places
        rows = pa.table({"address": list(places), "indicator": list(places.values())}, _LISTED)
        return self._records.keep(rows, "listed_addresses")

    def _every_address(self) -> Iterator[str]:
        met = shared_conversations(self._records, self._shared)
        answers = self._answers.select(address="answer")
        addresses = met.select(address="orig_h").union(met.select(address="resp_h"))
        every = addresses.union(answers).distinct().to_pyarrow()
        yield from (address for address in every["address"].to_pylist() if address)

    def _add_contacts(self) -> None:
        met = shared_conversations(self._records, self._shared)
        listed = self._addresses
        out = met.join(listed, met.resp_h == listed.address).mutate(host=met.orig_h)
        back = met.join(listed, met.orig_h == listed.address).mutate(host=met.resp_h)
        for table, outward in ((out, True), (back, False)):
            own, other = ("orig", "resp") if outward else ("resp", "orig")
            flags = {
                "own_flag": table[f"local_{own}"].any(),
                "other_flag": table[f"local_{other}"].any(),
            }
            frame = _traffic(table, **flags).to_pandas()
            local = self._records.local
            own_local = local.are_local(frame.host, frame.own_flag)
            other_local = local.are_local(frame.address, frame.other_flag)
            # A listed host of ours meets half the Internet, none of which is ours to look after.
            for row in frame[own_local | ~other_local].to_dict("records"):
                match = self._of(row)
                (match.reached if outward else match.visits).append(_row_traffic(row))

    def _add_pointers(self) -> None:
        """Add the answers that hold a listed address."""
        listed = self._addresses
        self._point(self._answers.join(listed, self._answers.answer == listed.address))

    def _every_answer(self) -> ir.Table:
        """Who got which answer to which question: the same ones come again and again."""
        dns = self._records.dns.filter(self._records.dns.answers.notnull())
        every = dns.select("ts", "query", host=dns.orig_h, answer=dns.answers.unnest())
        counted = every.group_by("host", "query", "answer").aggregate(
            first=every.ts.min(), last=every.ts.max(), queries=every.count()
        )
        named = counted.mutate(asked=plain_name(counted), other_name=counted.answer.lower())
        return self._records.keep(named.drop("query"), "listed_answers")

    def _point(self, held: ir.Table) -> None:
        counted = held.group_by("host", "indicator", "asked").aggregate(
            first=held["first"].min(),
            last=held["last"].max(),
            queries=held.queries.sum().cast("int64"),
        )
        for row in _rows(counted):
            match = self._of(row)
            match.pointed += row["queries"]
            match.pointers.add(row["asked"])

    def _named(self, names: ir.Table, table: str) -> ir.Table:
        """Those of a column of names that are a listed domain or below one, with its indicator."""
        names = names.distinct()
        below = names.mutate(zone=names.name.split(".")[-2:].join("."))
        candidates = below.semi_join(self._zones, "zone").select("name").to_pyarrow()
        found: dict[str, int] = {}
        for name in candidates["name"].to_pylist():
            place = next(
                (p for d in domain_and_parents(name) if (p := self._domains.get(d)) is not None),
                None,
            )
            if place is not None:
                found[name] = place
        rows = pa.table({"name": list(found), "indicator": list(found.values())}, _NAMED)
        return self._records.keep(rows, table)

    def _add_lookups(self) -> None:
        asked = self._shared.get(asked_names, lambda: asked_names(self._records))
        listed = self._named(asked.select("name"), "listed_names")
        for row in _rows(asked.join(listed, "name").rename(host="orig_h")):
            match = self._of(row)
            match.queries += row["queries"]
            match.refused += row["refused"]
            match.asked.add(row["name"])
        answers = self._answers
        aliases = self._named(answers.select(name="other_name"), "listed_aliases")
        aliased = answers.join(aliases, answers.other_name == aliases.name)
        self._point(aliased)
        if self._records.counts["conn"]:
            direct = answers.join(listed, answers.asked == listed.name)
            questions = aliased.union(direct.select(aliased.columns))
            self._add_reached(questions.select("host", "asked", "indicator").distinct())

    def _add_reached(self, questions: ir.Table) -> None:
        """Add what hosts had to do with the addresses that a listed domain led them to."""
        led = self._answers.join(questions, ["host", "asked"])
        led = led.group_by("host", "indicator", address="answer").aggregate(
            asked=led["first"].min()
        )
        led = self._records.keep(led, "listed_led")
        met = shared_conversations(self._records, self._shared)
        after = met.join(led, [met.orig_h == led.host, met.resp_h == led.address])
        for row in _rows(_traffic(after.filter(after["last"] >= after.asked))):
            self._of(row).reached.append(_row_traffic(row))

    def _add_server_names(self) -> None:
        named = self._records.server_names
        # A Host header may name a port.
        plain = named.server_name.lower().re_replace(r"\.?(:\d*)?$", "")
        named = named.mutate(name=plain)
        listed = self._named(named.select("name"), "listed_server_names")
        if not listed.count().execute():
            return
        uids = self._records.keep(named.join(listed, "name"), "listed_uids")
        conn = self._records.conn
        rows = conn.join(uids, "uid")
        counted = rows.group_by("indicator", "name", host="orig_h").aggregate(
            first=rows.ts.min(), last=rows.ts.max(), connections=rows.count()
        )
        for row in _rows(counted):
            match = self._of(row)
            match.named += row["connections"]
            match.names.add(row["name"])
        reached = rows.mutate(
            first=rows.ts,
            last=rows.ts,
            connections=1,
            bytes_out=rows.orig_bytes.fill_null(0).cast("float64"),
            bytes_in=rows.resp_bytes.fill_null(0).cast("float64"),
            host=rows.orig_h,
            address=rows.resp_h,
        ).drop("resp_p")
        for row in _rows(_traffic(reached.rename(resp_p="tried_p"))):
            match = self._of(row)
            if row["address"] not in {each.address for each in match.reached}:
                match.reached.append(_row_traffic(row))


_LISTED = pa.schema([("address", pa.string()), ("indicator", pa.int64())])
_NAMED = pa.schema([("name", pa.string()), ("indicator", pa.int64())])


def _traffic(table: ir.Table, **more: ir.Value) -> ir.Table:
    """What passed between each host and address of each indicator."""
    return table.group_by("host", "indicator", "address").aggregate(
        first=table["first"].min(),
        last=table["last"].max(),
        connections=table.connections.sum().cast("int64"),
        answered=table.answered.any(),
        bytes_out=table.bytes_out.sum(),
        bytes_in=table.bytes_in.sum(),
        port=table.resp_p.min().cast("int64"),
        ports=table.resp_p.nunique(),
        proto=table.proto.min(),
        protos=table.proto.nunique(),
        **more,
    )


def _row_traffic(row: dict[str, Any]) -> Traffic:
    return Traffic(
        row["address"],
        row["connections"],
        bool(row["answered"]),
        float(row["bytes_out"]),
        float(row["bytes_in"]),
        row["port"] if row["ports"] == 1 and row["protos"] == 1 else None,
        row["proto"] if row["protos"] == 1 else None,
    )


def _rows(table: ir.Table) -> list[dict[str, Any]]:
    return list(table.to_pyarrow().to_pylist())


def longest_prefixes(
    addresses: Iterable[str], subnets: Iterable[tuple[str, int]]
) -> dict[str, int]:
    """For each address that lies in a network, the number of the smallest such network.

    Args:
        addresses: addresses, or texts that are none and lie nowhere.
        subnets: networks in CIDR notation with their numbers.
    """
    # By bytes of an address, prefix length and prefix.
    prefixes: dict[int, dict[int, dict[int, int]]] = {4: {}, 16: {}}
    for text, number in subnets:
        network = ipaddress.ip_network(text)
        shift = network.max_prefixlen - network.prefixlen
        by_length = prefixes[network.max_prefixlen // 8].setdefault(shift, {})
        by_length[int(network.network_address) >> shift] = number
    ordered = {size: sorted(by_shift.items()) for size, by_shift in prefixes.items()}
    found = {}
    for address in addresses:
        try:
            packed = socket.inet_pton(
                socket.AF_INET6 if ":" in address else socket.AF_INET, address
            )
        except (OSError, ValueError):
            continue
        value = int.from_bytes(packed)
        for shift, known in ordered[len(packed)]:
            if (number_of := known.get(value >> shift)) is not None:
                found[address] = number_of
                break
    return found
