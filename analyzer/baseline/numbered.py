"""Connections with numbers in place of texts: most of a summary is grouping by who met whom.

Grouping by a number costs a fraction of grouping by an address, and what is worked out of every
connection is worked out once.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import ibis
import pyarrow as pa

from analyzer.baseline.bins import SHAPES, shape_bin
from analyzer.networks import is_group

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from analyzer.records import Records

MINUTE = 60.0
"""Seconds."""


MOST_PROTOS = 255
"""Transport protocols that are told apart; the rest counts as the last of them."""


@dataclass(frozen=True, slots=True)
class Numbered:
    """The connections that were attempts to reach their responders.

    Attributes:
        rows: ``orig resp`` (numbers of addresses), ``salt`` (a number that scatters the
            originator's, the same in any records), ``is_local outside is_group`` (of the
            originator, and of the responder), ``proto`` (a number), ``port application answered
            orig_bytes resp_bytes``, ``minute`` (since 1970), ``ts``, and a bin for each of
            :data:`analyzer.baseline.bins.SHAPES`, by its name.
        addresses: ``number address is_local``.
        protos: the transport protocols; a number is a place among them.
    """

    rows: ir.Table
    addresses: ir.Table
    protos: tuple[str, ...]

    def with_address(self, table: ir.Table, number: str, name: str) -> ir.Table:
        """A table with a column of addresses in place of one of their numbers."""
        named = self.addresses.select(number_of_it="number", **{name: "address"})
        return table.join(named, table[number] == named.number_of_it).drop(number, "number_of_it")

    def proto_name(self, proto: ir.IntegerValue) -> ir.StringValue:
        """The name of a transport protocol."""
        if not self.protos:
            return ibis.literal("")
        *others, last = enumerate(self.protos)
        return proto.cases(*others, else_=last[1]) if others else ibis.literal(last[1])


def numbered(records: Records) -> Numbered:
    """Number the addresses and transport protocols of connections."""
    conn = records.conn
    conn = conn.filter(conn.request)
    origins = conn.group_by("orig_h").aggregate(flag=conn.local_orig.any())
    targets = conn.group_by("resp_h").aggregate(flag=conn.local_resp.any())
    ends = origins.rename(address="orig_h").mutate(begins=ibis.literal(value=True))
    ends = ends.union(targets.rename(address="resp_h").mutate(begins=ibis.literal(value=False)))
    known = ends.group_by("address").aggregate(flag=ends.flag.any(), begins=ends.begins.any())
    known = known.order_by("address").to_pandas()
    rows = pa.table(
        {
            "number": pa.array(range(len(known)), pa.int32()),
            "address": pa.array(known.address, pa.string()),
            "begins": pa.array(known.begins, pa.bool_()),
            "salt": pa.array(map(_salt, known.address), pa.uint32()),
            "is_local": pa.array(records.local.are_local(known.address, known.flag), pa.bool_()),
        }
    )
    held = records.keep(rows, "baseline_addresses")
    addresses = records.keep(held.mutate(is_group=is_group(held.address)), "baseline_ends")
    # A log may hold anything; Zeek itself knows four.
    protos = tuple(sorted(conn.select("proto").distinct().to_pandas().proto)[:MOST_PROTOS])
    # Few begin what is met by many: a small table is looked up faster.
    one = addresses.filter(addresses.begins).select(
        orig="number", orig_h="address", is_local="is_local", salt="salt"
    )
    other = addresses.select(
        resp="number", resp_h="address", outside=~addresses.is_local, is_group="is_group"
    )
    every = conn.join(one, "orig_h").join(other, "resp_h")
    places = [(name, place) for place, name in enumerate(protos)]
    number = every.proto.cases(*places, else_=len(protos) - 1) if places else ibis.literal(0)
    table = every.select(
        "orig",
        "resp",
        "salt",
        "is_local",
        "outside",
        "is_group",
        "application",
        "answered",
        "orig_bytes",
        "resp_bytes",
        "ts",
        port="tried_p",
        proto=number.cast("uint8"),
        minute=(every.ts / MINUTE).floor().cast("int32"),
        **{metric: shape_bin(every, metric) for metric in SHAPES},
    )
    return Numbered(records.keep(table, "baseline_rows"), addresses, protos)


def _salt(address: str) -> int:
    return zlib.crc32(address.encode("utf-8", "surrogatepass"))
