"""The session after guesses: which connections it may be, and how it reads."""

from __future__ import annotations

from typing import Any

import pytest

from analyzer.detectors.detection import Shared, shared_contacts
from analyzer.detectors.login_attempts import attempts, logins
from analyzer.detectors.login_sessions import Session, sessions_after
from tests.test_detectors import START, Row, connection, holding

SOURCE, TARGET = "203.0.113.5", "10.0.0.9"


def after(*sessions: Row, every: float = 6.0) -> Session | None:
    size: dict[str, Any] = {"orig_bytes": 900, "resp_bytes": 1200, "duration": 2.0}
    failed = [connection(every * k, SOURCE, TARGET, 22, **size) for k in range(20)]
    with holding([*failed, *sessions]) as records:
        asked = logins(shared_contacts(records, Shared()))
        rows = attempts(records.conn, asked).order_by("ts").to_pandas()
        (found,) = sessions_after(records, [rows])
        return found


def session(second: float, **columns: Any) -> Row:  # noqa: ANN401 - whatever conn holds
    size: dict[str, Any] = {"orig_bytes": 8000, "resp_bytes": 30_000, "duration": 200.0}
    return connection(second, SOURCE, TARGET, 22, **size | columns)


def test_the_first_session_after() -> None:
    found = after(session(500.0), session(300.0, orig_bytes=7000))
    assert found == Session(SOURCE, "10.0.0.9:22", START + 300.0, 200.0, 37_000.0)
    assert str(found) == "3.33 min, 37 kB with 10.0.0.9:22"


@pytest.mark.parametrize(
    "columns",
    [{"orig_bytes": 950, "resp_bytes": 1250, "duration": 4.0}, {"answered": False},
     {"resp_bytes": 0}, {"resp_bytes": None}, {"orig_h": "203.0.113.6"}, {"resp_p": 23}],
)  # fmt: skip
def test_no_session(columns: dict[str, Any]) -> None:
    assert after(session(300.0, **columns)) is None


def test_too_early_or_too_late() -> None:
    assert after(session(20.0)) is None
    assert after(session(-20.0), session(300.0)) is None
    assert after(session(114.0 + 3601.0)) is None
    assert after(session(114.0 + 3599.0)) is not None


def test_a_session_of_unknown_length() -> None:
    found = after(session(300.0, duration=None))
    assert found is not None
    assert found.seconds == 0.0
