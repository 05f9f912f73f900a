"""Which registered domains of a host are weighed, and what became of them."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from analyzer.detectors import Shared
from analyzer.detectors.dga_names import asked_domains, fates

from . import START, Row, connection, holding, lookup


def domains(dns: list[Row], least: int = 1) -> pd.DataFrame:
    with holding(dns=dns) as records:
        return asked_domains(records, Shared(), least)


def one(*names: str, **columns: Any) -> list[str]:  # noqa: ANN401 - whatever dns holds
    rows = [lookup(second, "10.0.0.5", name, **columns) for second, name in enumerate(names)]
    return domains(rows).domain.tolist()


def test_a_row_per_source_and_registered_domain() -> None:
    rows = [
        lookup(5, "10.0.0.5", "www.example.co.uk", rcode_name="NXDOMAIN"),
        lookup(1, "10.0.0.5", "a.b.example.co.uk", rcode_name="NXDOMAIN"),
        lookup(3, "10.0.0.6", "Example.COM."),
    ]
    found = domains(rows).to_dict("records")
    assert found == [
        {
            "orig_h": "10.0.0.5",
            "domain": "example.co.uk",
            "first": START + 1,
            "last": START + 5,
            "queries": 2,
            "refused": True,
            "label": "example",
            "tld": "uk",
        },
        {
            "orig_h": "10.0.0.6",
            "domain": "example.com",
            "first": START + 3,
            "last": START + 3,
            "queries": 1,
            "refused": False,
            "label": "example",
            "tld": "com",
        },
    ]


def test_a_domain_with_a_name_that_exists_is_not_refused() -> None:
    rows = [lookup(1, "10.0.0.5", "typo.example.com", rcode_name="NXDOMAIN")]
    rows += [lookup(k, "10.0.0.5", f"w{k}.example.com") for k in range(2, 5)]
    assert domains(rows).refused.tolist() == [False]


def test_questions_without_an_answer_do_not_speak_against_a_refusal() -> None:
    rows = [lookup(1, "10.0.0.5", "example.com", rcode_name="NXDOMAIN")]
    rows += [lookup(2, "10.0.0.5", "example.com", rcode_name=None)]
    assert domains(rows).refused.tolist() == [True]


@pytest.mark.parametrize(
    "name",
    [
        "kjhqwkjh.belkin", "kjhqwkjh", "kjhqwkjh.lan", "4.3.2.1.in-addr.arpa", "co.uk",
        "kjhqwkjh.cloudfront.net", "a1b2c3.zen.spamhaus.org", "host.ad.office.example",
    ],
)  # fmt: skip
def test_what_is_no_registered_domain_is_left_out(name: str) -> None:
    assert one(name) == []


def test_alternative_roots_and_free_zones_are_weighed() -> None:
    assert one("kjhqwkjh.bit", "kjhqwkjh.mooo.com", "www.other.yi.org", "abc.dyndns.org") == [
        "kjhqwkjh.bit", "kjhqwkjh.mooo.com", "other.yi.org", "abc.dyndns.org",
    ]  # fmt: skip


@pytest.mark.parametrize("qtype", ["MX", "TXT", "SRV"])
def test_domains_asked_for_mail_or_services_are_left_out(qtype: str) -> None:
    rows = [lookup(1, "10.0.0.5", "sender.com"), lookup(2, "10.0.0.5", "other.com")]
    rows += [lookup(3, "10.0.0.5", "sender.com", qtype_name=qtype)]
    assert domains(rows).domain.tolist() == ["other.com"]


def test_sources_with_few_domains_are_left_out() -> None:
    rows = [lookup(k, "10.0.0.5", f"example{k}.com") for k in range(3)]
    rows += [lookup(k, "10.0.0.6", f"example{k}.com") for k in range(2)]
    assert set(domains(rows, 3).orig_h) == {"10.0.0.5"}
    assert domains(rows, 4).empty


def test_no_dns() -> None:
    assert domains([]).empty


def test_what_became_of_domains() -> None:
    rows = [
        lookup(1, "10.0.0.5", "www.one.com", answers=["one.example.net", "198.51.100.9"]),
        lookup(2, "10.0.0.5", "one.com", answers=["198.51.100.7"]),
        lookup(3, "10.0.0.5", "two.com", answers=["2001:db8::2"]),
        lookup(4, "10.0.0.5", "three.com", rcode_name="NXDOMAIN"),
        lookup(4.5, "10.0.0.5", "three.com", answers=["127.0.0.1", "0.0.0.0", "::"]),  # noqa: S104
        lookup(5, "10.0.0.6", "two.com", answers=["2001:db8::2"]),
    ]
    conn = [connection(9, "10.0.0.5", "198.51.100.9", 443)]
    conn += [connection(9, "10.0.0.6", "198.51.100.7", 443)]
    for given, reached in ((conn, "198.51.100.9"), ([], "198.51.100.7")):
        with holding(given, rows) as records:
            shared = Shared()
            found = fates(asked_domains(records, shared, 1), records, shared)
        known = found.set_index(["orig_h", "domain"])
        assert known.address.to_dict() == {
            ("10.0.0.5", "one.com"): reached,
            ("10.0.0.5", "two.com"): "2001:db8::2",
            ("10.0.0.5", "three.com"): "",
            ("10.0.0.6", "two.com"): "2001:db8::2",
        }
        contacted = known.index[known.contacted].tolist()
        assert contacted == ([("10.0.0.5", "one.com")] if given else [])
