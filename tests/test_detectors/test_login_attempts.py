"""What is a failed login: its service, its size, who is asked."""

from __future__ import annotations

from typing import Any

import pytest

from analyzer.derived import LOGIN_SERVICES
from analyzer.detectors.detection import Shared, shared_contacts
from analyzer.detectors.login_attempts import FAILURES, attempts, logins, patience
from tests.test_detectors import Row, connection, holding


def tried(rows: list[Row]) -> list[tuple[str, str]]:
    """The service and the target of every attempt."""
    with holding(rows) as records:
        asked = logins(shared_contacts(records, Shared()))
        frame = attempts(records.conn, asked).order_by("ts").to_pandas()
        return [
            (LOGIN_SERVICES[spoken], target)
            for spoken, target in zip(frame.spoken, frame.resp_h, strict=True)
        ]


def one(port: int, **columns: Any) -> list[Row]:  # noqa: ANN401 - whatever conn holds
    size: dict[str, Any] = {"orig_bytes": 900, "resp_bytes": 1200, "duration": 2.0}
    return [connection(0, "203.0.113.5", "10.0.0.9", port, **size | columns)]


@pytest.mark.parametrize(
    ("port", "service", "name"),
    [(22, "ssh", "ssh"), (2200, "ssh", "ssh"), (22, None, "ssh"), (5985, "http", "winrm"),
     (5986, "ssl", "winrm"), (3389, "ssl", "rdp"), (993, "ssl", "imap")],
)  # fmt: skip
def test_services(port: int, service: str | None, name: str) -> None:
    assert tried(one(port, service=service)) == [(name, "10.0.0.9")]


@pytest.mark.parametrize(
    "columns",
    [{"orig_bytes": 399}, {"orig_bytes": 5501}, {"resp_bytes": 399}, {"resp_bytes": 5501},
     {"duration": 151.0}, {"orig_bytes": None}, {"answered": False}, {"resp_h": "203.0.113.5"},
     {"service": "http"}, {"proto": "udp", "service": None}],
)  # fmt: skip
def test_no_failed_ssh_login(columns: dict[str, Any]) -> None:
    assert tried(one(22)) == [("ssh", "10.0.0.9")]
    assert tried(one(22, **columns)) == []


def test_a_missing_duration_is_short() -> None:
    assert len(tried(one(22, duration=None))) == 1


def test_patience() -> None:
    assert all(failure.patience >= 1 for failure in FAILURES.values())
    assert set(FAILURES) <= set(LOGIN_SERVICES)
    rows = one(22) + one(993, service="ssl")
    with holding(rows) as records:
        asked = logins(shared_contacts(records, Shared()))
        frame = asked.select("resp_p", factor=patience(asked.spoken)).to_pandas()
        assert dict(zip(frame.resp_p, frame.factor, strict=True)) == {22: 1.0, 993: 3.0}
