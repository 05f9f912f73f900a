"""Algorithmic names: which hosts are found, what is said, and who must not be suspected."""

from __future__ import annotations

import random
import string
from typing import Any

from analyzer.detectors import Detection
from analyzer.detectors.dga import DETECTOR, Parameters
from analyzer.findings import Severity

from . import DAY, Row, connection, detect, evidence, lookup

WORDS = """
husband minute figure suppose mother wheat sweet behind store success water trouble anger carry
expect escape mountain another father enter school distant sudden soldier pleasant forest morning
between gather window bottle summer quarter spring remember garden silver narrow promise thought
""".split()  # noqa: SIM905


def generated(
    count: int,
    *,
    source: str = "10.0.0.5",
    gap: float = 10.0,
    tlds: tuple[str, ...] = ("com", "net"),
    length: int = 14,
    seed: int = 1,
    **columns: Any,  # noqa: ANN401 - whatever dns holds
) -> list[Row]:
    chooser = random.Random(seed)  # noqa: S311 - test data
    labels = ["".join(chooser.choices(string.ascii_lowercase, k=length)) for _ in range(count)]
    given: Row = {"rcode_name": "NXDOMAIN"} | columns
    return [
        lookup(gap * k, source, f"{label}.{tlds[k % len(tlds)]}", **given)
        for k, label in enumerate(labels)
    ]


def word_pairs(count: int, seed: int = 1, **columns: Any) -> list[Row]:  # noqa: ANN401
    chooser = random.Random(seed)  # noqa: S311 - test data
    pairs = ["".join(chooser.sample(WORDS, 2)) for _ in range(count)]
    given: Row = {"rcode_name": "NXDOMAIN"} | columns
    return [lookup(20 * k, "10.0.0.5", f"{pair}.net", **given) for k, pair in enumerate(pairs)]


def browsing(count: int, **columns: Any) -> list[Row]:  # noqa: ANN401 - whatever dns holds
    """Ask for names that people chose, all of which exist."""
    sites = ["nytimes", "wikipedia", "weather", "github", "amazon", "kayak", "spotify", "adobe"]
    return [
        lookup(
            7 * k,
            "10.0.0.5",
            f"www.{sites[k % 8]}{k // 8}.com",
            answers=["198.51.100.1"],
            **columns,
        )
        for k in range(count)
    ]


def found_in(dns: list[Row], conn: list[Row] | None = None, **changes: object) -> list[Detection]:
    return detect(DETECTOR, Parameters(**changes), conn or [], dns)  # type: ignore[arg-type]


def severities(found: list[Detection]) -> list[Severity]:
    return [Severity.of(each.score) for each in found]


def test_names_that_do_not_exist_are_found() -> None:
    assert found_in(generated(4)) == []
    assert severities(found_in(generated(8))) >= [Severity.MEDIUM]
    assert severities(found_in(generated(20))) == [Severity.CRITICAL]


def test_what_is_said() -> None:
    rows = generated(20)
    rows += [lookup(250, "10.0.0.5", "xkqjwzvbnmtrpq.net", answers=["198.51.100.7"])]
    (found,) = found_in(rows)
    assert (found.source, found.proto, found.port, found.best) == ("10.0.0.5", "udp", 53, "query")
    assert found.subject in {row["query"] for row in rows}
    assert found.message.startswith("10.0.0.5 asked for 21 names that look generated")
    said = evidence(found)
    assert said["suspicious domains"] == found.connections
    assert said["share of them that do not exist"] >= 0.95  # type: ignore[operator]
    assert said["top-level domains"] == 2
    assert len(str(said["names that weighed most"]).split(", ")) == 10
    assert said["mean entropy of a label"] > 3  # type: ignore[operator]


def test_the_name_that_resolved_is_named_with_its_address() -> None:
    rows = generated(20, rcode_name="NOERROR")
    rows = [row | {"rcode_name": "NXDOMAIN"} for row in rows[:-1]] + [
        rows[-1] | {"answers": ["cname.example.com", "198.51.100.7"]}
    ]
    (found,) = found_in(rows, [connection(300, "10.0.0.5", "198.51.100.7", 443)])
    name = rows[-1]["query"]
    assert evidence(found)["names that resolved"] == f"{name} to 198.51.100.7"
    assert f"{name} to 198.51.100.7 does, and may be the control server" in found.message


def test_resolved_and_contacted_names_weigh_less() -> None:
    def score(rows: list[Row], conn: list[Row] | None = None) -> float:
        return max((found.score for found in found_in(rows, conn)), default=0.0)

    refused = score(generated(12))
    resolved = score(generated(12, rcode_name="NOERROR", answers=["198.51.100.7"]))
    contacted = score(
        generated(12, rcode_name="NOERROR", answers=["198.51.100.7"]),
        [connection(5, "10.0.0.5", "198.51.100.7", 443)],
    )
    assert refused > resolved > contacted


def test_one_suffix_is_enough_only_for_names_that_do_not_exist() -> None:
    exist: Row = {"rcode_name": "NOERROR", "answers": ["198.51.100.7"]}
    assert found_in(generated(30, tlds=("com",)))
    assert found_in(generated(30, tlds=("com",), **exist)) == []
    assert found_in(generated(30, tlds=("com", "net"), **exist))


def test_browsing_besides_hides_nothing() -> None:
    assert severities(found_in(generated(20) + browsing(400))) >= [Severity.HIGH]


def test_a_slow_algorithm_is_found_over_a_day() -> None:
    slow = generated(20, gap=DAY / 21)
    assert severities(found_in(slow)) >= [Severity.MEDIUM]
    assert found_in(slow, slow_window=3600.0) == []


def test_words_that_come_back_are_found() -> None:
    (found,) = found_in(word_pairs(50))
    assert Severity.of(found.score) >= Severity.MEDIUM
    words = str(evidence(found)["words that come back"]).split(", ")
    assert set(words) <= set(WORDS)
    assert found_in(word_pairs(50, rcode_name="NOERROR", answers=["198.51.100.7"])) == []


def test_every_host_is_judged_alone() -> None:
    rows = [row | {"orig_h": f"10.0.0.{k}"} for k, row in enumerate(generated(40))]
    assert found_in(rows) == []
    both = generated(20) + generated(20, source="fd00::5")
    assert [found.source for found in found_in(both)] == ["10.0.0.5", "fd00::5"]


def test_repeats_of_a_name_are_one_name() -> None:
    assert found_in(generated(4) * 30) == []


def test_subdomains_of_one_domain_are_one_name() -> None:
    rows = [row | {"query": row["query"] + ".example.org"} for row in generated(50)]
    assert found_in(rows) == []


def test_browsing_is_nothing() -> None:
    assert found_in(browsing(400)) == []


def test_a_mail_server_is_nothing() -> None:
    """It asks for senders that do not exist, by MX and TXT, and for block lists."""
    rows = [
        row
        for qtype in ("A", "MX", "TXT")
        for row in generated(60, source="10.0.0.25", qtype_name=qtype)
    ]
    rows += [
        lookup(k, "10.0.0.25", f"{k}.2.0.203.list.example.org", rcode_name="NXDOMAIN")
        for k in range(250)
    ]
    assert found_in(rows) == []


def test_typing_errors_are_nothing() -> None:
    sites = [
        "gogle", "facebok", "youtub", "wikipeda", "amazn", "twiter", "netflx", "linkdin", "redit",
        "ebya", "paypla", "micosoft", "yahho", "instagrm", "whatsap", "googel", "gmial", "outlok",
    ]  # fmt: skip
    rows = [
        lookup(30 * k, "10.0.0.5", f"www.{site}.com", rcode_name="NXDOMAIN")
        for k, site in enumerate(sites)
    ]
    assert [found for found in found_in(rows) if found.score >= 0.8] == []


def test_odd_input_is_survived() -> None:
    rows = [
        lookup(k, "10.0.0.5", query)
        for k, query in enumerate(
            [".", "..", "a..com", "é.com", "." * 300, "x" * 400 + ".com", "-.com", "com"]
        )
    ]
    rows += generated(20, qtype_name=None, resp_p=None, answers=None, uid=None)
    assert len(found_in(rows)) == 1
    assert found_in([]) == []


def test_the_same_in_any_order() -> None:
    rows = generated(20) + browsing(100) + word_pairs(40)
    expected = found_in(rows)
    assert found_in(rows[::-1]) == expected
