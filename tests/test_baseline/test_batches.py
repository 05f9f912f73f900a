"""Small batches mean what the engine says of the same records."""

from __future__ import annotations

from typing import Any

import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.baseline.batches import batch_records, connection_rows, is_group
from analyzer.baseline.screening import requests, rows_of
from analyzer.baseline.summary import summarise
from analyzer.derived import APPLICATIONS
from analyzer.detectors import Shared
from analyzer.detectors.detection import shared_contacts
from analyzer.networks import LocalNetworks
from analyzer.networks import is_group as engine_is_group
from analyzer.public_suffix import suffix_rules

from .rows import batch, connection

KEYS = ["source", "peer", "proto", "port", "application", "outside", "hour", "answered"]
SHAPES = ["bytes_out", "bytes_in", "duration", "packets_out"]

STATES = st.sampled_from(["SF", "S0", "REJ", "RSTO", "OTH", "SHR", "RSTR", None])
ROWS = st.fixed_dictionaries(
    {
        "ts": st.floats(1.7e9, 1.71e9),
        "orig_h": st.sampled_from(["10.0.0.1", "10.0.0.2", "203.0.113.1", "fd00::1"]),
        "resp_h": st.sampled_from(
            ["10.0.0.9", "198.51.100.7", "224.0.0.1", "ff02::fb", "10.0.0.255"]
        ),
        "orig_p": st.sampled_from([8, 0, 53, 50_000, None]),
        "resp_p": st.sampled_from([0, 53, 443, 33_434, 60_000]),
        "proto": st.sampled_from(["tcp", "udp", "icmp", "unknown_transport"]),
        "service": st.sampled_from([None, "ssl", "dns", "gssapi,smb", "weird"]),
        "duration": st.one_of(st.none(), st.floats(0, 1e5, width=32)),
        "orig_bytes": st.one_of(st.none(), st.integers(0, 10**11)),
        "resp_bytes": st.one_of(st.none(), st.integers(0, 10**6)),
        "conn_state": STATES,
        "history": st.sampled_from([None, "", "S", "ShAD", "^r", "Sr", "D", "Dd"]),
        "orig_pkts": st.one_of(st.none(), st.integers(0, 10**6)),
        "resp_pkts": st.one_of(st.none(), st.integers(0, 3)),
        "ip_proto": st.sampled_from([None, 47, 50]),
    }
)


def told(rows: pd.DataFrame) -> list[tuple[Any, ...]]:
    columns = [*KEYS, *SHAPES]
    frame = rows[columns].drop_duplicates()
    texts = frame.select_dtypes(exclude="number").columns
    plain = frame.astype(dict.fromkeys(set(frame.columns) - set(texts), "int64"))
    return sorted(plain.itertuples(index=False, name=None), key=str)


@settings(max_examples=12, deadline=None)
@given(st.lists(ROWS, min_size=1, max_size=12))
def test_rows_are_those_of_the_engine(rows: list[dict[str, Any]]) -> None:
    frame = pd.DataFrame(rows)
    records = batch_records(frame)
    engine = rows_of(requests(records, shared_contacts(records, Shared())))
    assert told(connection_rows(frame, LocalNetworks())) == told(engine)


def test_groups_are_those_of_the_engine() -> None:
    addresses = [
        "224.0.0.1",
        "239.1.2.3",
        "240.0.0.1",
        "FF02::1",
        "10.0.0.255",
        "0.0.0.0",
        "1.2.3.4",
    ]  # noqa: S104
    import ibis  # noqa: PLC0415 - only here

    table = ibis.memtable({"address": addresses})
    theirs = table.select(address="address", group=engine_is_group(table.address)).to_pandas()
    expected = dict(zip(theirs.address, theirs.group, strict=True))
    assert {each: is_group(each) for each in addresses} == expected


def test_columns_that_are_missing_are_unset() -> None:
    frame = pd.DataFrame([{"ts": 0.0, "orig_h": "10.0.0.1", "resp_h": "1.2.3.4", "proto": "tcp"}])
    (row,) = connection_rows(frame, LocalNetworks()).to_dict("records")
    assert (row["port"], row["application"], row["answered"]) == (0, "", True)
    assert (row["bytes_out"], row["duration"]) == (255, 255)


def test_an_application_that_has_no_number_is_another() -> None:
    rows = connection_rows(batch([connection(0, service="finger")]), LocalNetworks())
    assert rows.application.tolist() == [APPLICATIONS[-1]]


def test_batches_can_be_summed_up() -> None:
    dns = pd.DataFrame(
        [
            {
                "ts": 60.0,
                "orig_h": "10.0.0.1",
                "resp_h": "10.0.0.53",
                "proto": "udp",
                "resp_p": 53,
                "query": "www.example.com",
                "qtype_name": "A",
                "rcode_name": "NOERROR",
            }
        ]
    )
    records = batch_records(batch([connection(60.0)]), dns)
    rules = records.keep(suffix_rules(), "suffix_rules")
    summary = summarise(records, lambda: rules)
    assert summary["domains"].domain.tolist() == ["example.com"]
    assert summary["hours"].connections.sum() == 1.0
    assert records.counts == {"conn": 1, "dns": 1}
    assert records.first == 60.0


def test_nothing_at_all() -> None:
    records = batch_records(None)
    assert (records.first, records.counts) == (None, {"conn": 0, "dns": 0})
