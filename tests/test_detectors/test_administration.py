"""Who administers whom: protocols, payload, clients, acquaintances."""

from __future__ import annotations

from typing import Any

import pytest

from analyzer.detectors.administration import PROTOCOLS, acquaintances, clients, sessions
from analyzer.detectors.detection import Shared, shared_contacts
from analyzer.mitre import TECHNIQUES
from tests.test_detectors import DAY, START, Row, connection, holding


def found(rows: list[Row]) -> list[dict[str, Any]]:
    with holding(rows) as records:
        table = sessions(shared_contacts(records, Shared()))
        return list(table.order_by("orig_h", "resp_h", "protocol").to_pyarrow().to_pylist())


def one(port: int = 445, second: float = 0.0, **columns: Any) -> Row:  # noqa: ANN401
    size: dict[str, Any] = {"orig_bytes": 500, "resp_bytes": 700}
    return connection(second, "10.0.0.5", "10.0.0.6", port, **size | columns)


@pytest.mark.parametrize(
    ("port", "service", "name"),
    [(445, "gssapi,smb", "SMB"), (139, None, "SMB"), (3389, "ssl", "RDP"), (5985, "http", "WinRM"),
     (22, "ssh", "SSH"), (2222, "ssh", "SSH"), (135, "dce_rpc", "RPC"), (5901, "rfb", "VNC"),
     (23, None, "Telnet"), (33_890, "rdp", "RDP")],
)  # fmt: skip
def test_protocols(port: int, service: str | None, name: str) -> None:
    (row,) = found([one(port, service=service)])
    assert PROTOCOLS[row["protocol"]].name == name
    assert row["resp_p"] == port


@pytest.mark.parametrize(
    "columns",
    [{"resp_p": 443}, {"answered": False, "orig_bytes": 0, "resp_bytes": 0}, {"resp_bytes": 0},
     {"orig_bytes": None}, {"resp_h": "203.0.113.5"}, {"orig_h": "203.0.113.5"},
     {"resp_h": "10.0.0.5"}, {"proto": "udp"}],
)  # fmt: skip
def test_no_session(columns: dict[str, Any]) -> None:
    assert found([one(**columns)]) == []


def test_days_add_up() -> None:
    (row,) = found([one(), one(139, 60.0), one(second=13 * 3600.0), one(second=2 * DAY)])
    assert (row["first"], row["last"], row["days"]) == (START, START + 2 * DAY, 2)
    assert (row["connections"], row["bytes_out"], row["bytes_in"]) == (4, 2000.0, 2800.0)
    assert row["resp_p"] == 139


def test_techniques_exist() -> None:
    assert {protocol.technique for protocol in PROTOCOLS} <= set(TECHNIQUES)


def test_clients() -> None:
    size: dict[str, Any] = {"orig_bytes": 500, "resp_bytes": 700}
    rows = [connection(k, f"10.0.1.{k}", "10.0.0.2", 389, **size) for k in range(7)]
    rows += [connection(k, "10.0.0.8", f"10.0.1.{k}", 80, **size) for k in range(40)]
    rows += [connection(9, "10.0.1.1", "10.0.0.3", port, **size) for port in (445, 9100)]
    with holding(rows) as records:
        frame = clients(shared_contacts(records, Shared())).to_pandas()
    assert dict(zip(frame.resp_h, frame.clients, strict=True)) == {"10.0.0.2": 7}


def test_acquaintances() -> None:
    size: dict[str, Any] = {"orig_bytes": 500, "resp_bytes": 700}
    rows = [connection(60.0 * k, "10.0.0.5", "10.0.0.6", 10_050, **size) for k in range(5)]
    rows += [
        connection(5.0, "10.0.0.5", "10.0.0.7", 80, answered=False, orig_bytes=0, resp_bytes=0)
    ]
    with holding(rows) as records:
        met = shared_contacts(records, Shared())
        pairs = met.select("orig_h", "resp_h").distinct()
        (row,) = acquaintances(met, pairs).to_pyarrow().to_pylist()
    assert (row["resp_h"], row["met_first"], row["talks"]) == ("10.0.0.6", START, 5)
