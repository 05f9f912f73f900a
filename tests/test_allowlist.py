"""Allowlists: what an entry means, and what is said of one that means nothing."""

from __future__ import annotations

import ipaddress
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer.allowlist import (
    Allowlist,
    DomainToken,
    Entry,
    NetworkToken,
    RuleToken,
    parse_allowlist,
    read_allowlists,
)
from analyzer.errors import AllowlistError, Location
from analyzer.findings import Finding
from tests.test_findings import SCAN

FOUND = replace(
    SCAN,
    rule="beacon",
    source="10.0.0.5",
    destination="198.51.100.7",
    port=443,
    subject="",
    server_names=("www.example.com",),
    looked_up_as=("www.example.com", "cdn.example.net"),
)


def allows(text: str, **changes: object) -> bool:
    finding: Finding = replace(FOUND, **changes)  # type: ignore[arg-type]
    return parse_allowlist(text).entry_for(finding) is not None


@pytest.mark.parametrize(
    ("text", "held"),
    [
        ("10.0.0.5", True),
        ("198.51.100.7", True),
        ("10.0.0.6", False),
        ("10.0.0.0/24", True),
        ("10.0.1.0/24", False),
        ("2001:db8::/32", False),
        ("source:10.0.0.0/24", True),
        ("destination:10.0.0.0/24", False),
        ("source:198.51.100.7", False),
        ("destination:198.51.100.7", True),
        ("198.51.100.7:443", True),
        ("198.51.100.7:80", False),
        ("10.0.0.5:443", False),
        ("destination:198.51.100.0/24:443", True),
        ("rule:beacon", True),
        ("rule:b*n", True),
        ("rule:scan", False),
        ("www.example.com", True),
        ("WWW.Example.com.", True),
        ("example.com", False),
        ("*.example.com", True),
        ("*.www.example.com", True),
        ("*.ample.com", False),
        ("destination:*.example.com", True),
        ("10.0.0.5 198.51.100.7:443 rule:beacon *.example.com", True),
        ("10.0.0.5 rule:scan", False),
        ("10.0.0.6 rule:beacon", False),
    ],
)
def test_tokens_of_one_entry(text: str, *, held: bool) -> None:
    assert allows(text) == held


def test_ipv6() -> None:
    assert allows("2001:db8::7", destination="2001:db8::7")
    assert allows("[2001:db8::7]:443", destination="2001:db8::7")
    assert not allows("[2001:db8::7]:80", destination="2001:db8::7")
    # Without brackets it is an address with one group more.
    assert not allows("2001:db8::7:443", destination="2001:db8::7")


def test_a_finding_without_a_destination() -> None:
    assert not allows("destination:0.0.0.0/0", destination=None)
    assert not allows("198.51.100.7:443", destination=None)
    assert not allows("0.0.0.0/0", destination=None, source="unparsable")


@pytest.mark.parametrize(
    ("subject", "server_names", "looked_up_as", "held"),
    [
        ("t.example.com", (), (), True),
        ("bad.example", (), (), False),
        ("", (), (), False),
        ("", (), ("a.example.com", "bad.example"), True),
        ("", ("a.example.com",), (), True),
        # A host calls the other side what it likes.
        ("", ("a.example.com",), ("bad.example",), False),
        ("", ("a.example.com", "bad.example"), ("a.example.com",), False),
        ("bad.example", ("a.example.com",), ("a.example.com",), False),
        # A subject that is no name says nothing against it.
        ("198.51.100.0/24", (), ("a.example.com",), True),
    ],
)
def test_every_kind_of_name_must_agree(
    subject: str, server_names: tuple[str, ...], looked_up_as: tuple[str, ...], *, held: bool
) -> None:
    names = {"subject": subject, "server_names": server_names, "looked_up_as": looked_up_as}
    assert allows("*.example.com", **names) == held


def test_lines_and_comments() -> None:
    text = "\ufeff# ours\n\n  10.0.0.9\trule:scan # the scanner\r\nrule:b#n\n*.example.com\n"
    with pytest.raises(AllowlistError, match="list:4: 'rule:b#n'"):
        parse_allowlist(text.encode(), "list")
    found = parse_allowlist(text.replace("b#n", "b*n").encode(), "list")
    assert [(entry.location.line, str(entry)) for entry in found.entries] == [
        (3, "10.0.0.9 rule:scan"),
        (4, "rule:b*n"),
        (5, "*.example.com"),
    ]


@pytest.mark.parametrize(
    ("word", "complaint"),
    [
        ("beacon", "did you mean 'rule:beacon'?"),
        ("rul:beacon", "unknown prefix 'rul'; did you mean 'rule'?"),
        ("sorce:10.0.0.1", "unknown prefix 'sorce'; did you mean 'source'?"),
        ("rule:", "expected a rule's id or a pattern"),
        ("rule:Beacon!", "expected a rule's id or a pattern"),
        ("source:", "expected an address"),
        ("source:example.com", "a source has none"),
        ("source:10.0.0.1:22", "a port is the destination's; did you mean destination:?"),
        ("10.0.0.300", "expected an address, a network such as 10.0.0.0/8"),
        ("10.0.0.0/33", "expected an address, a network such as 10.0.0.0/8"),
        ("10.0.0.1:99999", "expected a port from 0 to 65535"),
        ("10.0.0.1:http", "expected a port from 0 to 65535"),
        ("https://example.com/a", "expected a domain without a path"),
        ("www.*.com", "expected \\* in front only"),
        ("fe80::1%eth0", "expected an address"),
    ],
)
def test_words_that_are_no_tokens(word: str, complaint: str) -> None:
    with pytest.raises(AllowlistError, match=complaint) as caught:
        parse_allowlist(f"10.0.0.1\n{word}\n", "list")
    assert caught.value.location == Location("list", 2)


def test_all_that_is_wrong_is_said_at_once() -> None:
    with pytest.raises(AllowlistError) as caught:
        parse_allowlist("beacon\n10.0.0.1\nscan 10.0.0.300\n", "list")
    assert [line.partition(" ")[0] for line in str(caught.value).splitlines()] == [
        "list:1:",
        "list:3:",
        "list:3:",
    ]


def test_rules_must_exist() -> None:
    found = parse_allowlist("rule:beacon\nrule:port_scna\nrule:dns_*\n", "list")
    with pytest.raises(AllowlistError) as caught:
        found.check_rules(["beacon", "port_scan", "dns_tunnel"])
    expected = "list:2: rule:port_scna matches no rule; did you mean 'port_scan'?"
    assert str(caught.value) == expected


def test_files(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    one.write_text("10.0.0.9\n")
    two.write_text("# nothing\n")
    assert read_allowlists([]) == Allowlist()
    entry = Entry((NetworkToken(ipaddress.ip_network("10.0.0.9")),), Location(str(one), 1))
    assert read_allowlists([one]).entries == (entry,)
    # A site begins with an empty list, and may end with one.
    assert read_allowlists([one, two]).entries == (entry,)
    assert read_allowlists([two]) == Allowlist()
    with pytest.raises(AllowlistError, match="nothing: No such file"):
        read_allowlists([tmp_path / "nothing"])
    one.write_text("beacon\n")
    two.write_text("scan\n")
    with pytest.raises(AllowlistError, match=r"one:1: .*\n.*two:1: "):
        read_allowlists([one, two])


def parsed(data: bytes | str) -> tuple[Allowlist, str]:
    """The entries of a text, or what is wrong with it."""
    try:
        return parse_allowlist(data, "list"), ""
    except AllowlistError as error:
        return Allowlist(), str(error)


@given(st.binary(max_size=200))
def test_any_bytes_read_or_say_why_not(data: bytes) -> None:
    found, complaint = parsed(data)
    assert not complaint or complaint.startswith("list:")
    assert {entry.allows(FOUND) for entry in found.entries} <= {True, False}


@given(st.text(max_size=60))
def test_any_text_reads_or_says_why_not(text: str) -> None:
    found, complaint = parsed(text)
    assert not complaint or complaint.startswith("list:")
    again = parse_allowlist("\n".join(map(str, found.entries)), "list")
    assert [entry.tokens for entry in again.entries] == [entry.tokens for entry in found.entries]


_NETWORKS = st.one_of(
    st.tuples(st.ip_addresses(v=4), st.integers(0, 32)),
    st.tuples(st.ip_addresses(v=6), st.integers(0, 128)),
).map(lambda pair: ipaddress.ip_network(f"{pair[0]}/{pair[1]}", strict=False))
_TOKENS = st.one_of(
    st.builds(
        NetworkToken,
        _NETWORKS,
        st.sampled_from([("source",), ("destination",), ("source", "destination")]),
    ),
    st.builds(NetworkToken, _NETWORKS, st.just(("destination",)), st.integers(0, 65535)),
    st.builds(
        DomainToken,
        st.lists(st.from_regex(r"[a-z][a-z0-9]{0,8}", fullmatch=True), min_size=2).map(".".join),
        st.booleans(),
    ).filter(lambda token: len(token.domain) < 200),
    st.builds(RuleToken, st.from_regex(r"[a-z_*?0-9]{1,10}", fullmatch=True)),
)


@given(st.lists(st.lists(_TOKENS, min_size=1, max_size=4).map(tuple), max_size=4))
def test_what_is_written_reads_back(entries: list[tuple[NetworkToken, ...]]) -> None:
    written = [Entry(tokens, Location("list", i)) for i, tokens in enumerate(entries, 1)]
    text = "".join(f"{entry} # and why\n" for entry in written)
    assert parse_allowlist(text, "list").entries == tuple(written)
