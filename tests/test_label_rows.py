"""What labels mean, and what one row of them says."""

from __future__ import annotations

from typing import Any

import pytest

from analyzer.label_rows import ALWAYS, NoLabel, json_row, labelled_row, uid_row, verdict


@pytest.mark.parametrize(
    ("label", "detail", "expected"),
    [
        ("Malicious", "C&C", (True, "C&C")),
        ("malicious", "-", (True, "malicious")),
        (" Malicious ", " PartOfAHorizontalPortScan ", (True, "PartOfAHorizontalPortScan")),
        ("DDoS", "", (True, "DDoS")),
        ("1", "", (True, "1")),
        ("true", "", (True, "true")),
        ("From-Botnet-V42-TCP", "", (True, "From-Botnet-V42-TCP")),
        ("Abnormal", "", (True, "Abnormal")),
        ("Benign", "Dropbox", (False, "Dropbox")),
        ("benign", "(empty)", (False, "benign")),
        ("BENIGN", "", (False, "BENIGN")),
        ("Normal", "", (False, "Normal")),
        ("flow=From-Normal-V42-Stribrek", "", (False, "flow=From-Normal-V42-Stribrek")),
        ("legitimate", "", (False, "legitimate")),
        ("0", "", (False, "0")),
        ("false", "", (False, "false")),
        ("Background", "", (None, "Background")),
        ("flow=Background-TCP", "", (None, "flow=Background-TCP")),
        ("unlabeled", "", (None, "unlabeled")),
        ("-", "", (None, "-")),
        ("", "", (None, "-")),
        ("(empty)", "C&C", (None, "C&C")),
    ],
)
def test_verdicts(label: str, detail: str, expected: tuple[bool | None, str]) -> None:
    assert verdict(label, detail) == expected


def test_a_row_by_uid() -> None:
    assert labelled_row({"uid": "C1", "label": "Malicious", "detailed-label": "C&C"}) == (
        "C1",
        True,
        "C&C",
    )
    assert labelled_row({"uid": 7, "label": True}) == ("7", True, "true")
    assert uid_row(" C1 ", "Benign", "") == ("C1", False, "Benign")


def test_a_row_by_address() -> None:
    row = {"address": "10.0.0.5", "label": "Bot"}
    assert labelled_row(row) == ("10.0.0.5", *ALWAYS, True, "Bot")
    assert labelled_row(row | {"from": 5, "to": "2026-01-19T08:00"}) == (
        "10.0.0.5",
        5.0,
        1768809600.0,
        True,
        "Bot",
    )
    assert labelled_row(row | {"from": "2026-01-19T08:00+01:00", "to": "-"})[1:3] == (
        1768806000.0,
        ALWAYS[1],
    )
    assert labelled_row({"address": "2001:DB8::0:1", "label": "0"})[0] == "2001:db8::1"


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"uid": "C1"}, "no label"),
        ({"label": "Bot"}, "neither a uid nor an address"),
        ({"label": "Bot", "address": "bot.example.com"}, "neither a uid nor an address"),
        ({"label": "Bot", "uid": "-"}, "row without a uid"),
        ({"label": ["Bot"], "uid": "C1"}, "a list or an object where a text should be"),
        ({"label": "Bot", "address": "::1", "from": "soon"}, "from or to is no time"),
        ({"label": "Bot", "address": "::1", "to": "nan"}, "from or to is no time"),
    ],
)
def test_what_is_no_label(row: dict[str, Any], reason: str) -> None:
    with pytest.raises(NoLabel, match=f"^{reason}$"):
        labelled_row(row)


def test_json() -> None:
    assert json_row('{"uid": "C1"}') == {"uid": "C1"}
    for text in ("[]", "{", "1", "[" * 100_000):
        with pytest.raises(NoLabel, match="not a JSON object"):
            json_row(text)
