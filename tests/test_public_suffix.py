"""Registered domains: the same as the list's own library says, over whole columns."""

from __future__ import annotations

from importlib import resources

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from publicsuffixlist import PublicSuffixList

from analyzer.engine import Engine
from analyzer.public_suffix import domain_of, registered_domain, suffix_rules


def domains(names: list[str]) -> dict[str, str | None]:
    """The registered domain of every name."""
    with Engine() as engine:
        table = engine.keep(pa.table({"name": pa.array(names, pa.string())}), "names")
        rules = engine.keep(suffix_rules(), "suffix_rules")
        rows = registered_domain(table, rules).to_pyarrow().to_pylist()
    assert len(rows) == len(names)
    return {row["name"]: row["domain"] for row in rows}


EXAMPLES = {
    "example.com": "example.com",
    "www.example.com": "example.com",
    "a.b.c.example.co.uk": "example.co.uk",
    "co.uk": None,
    "com": None,
    "localhost": None,
    "host.nowhere-at-all": "host.nowhere-at-all",
    "a.host.nowhere-at-all": "host.nowhere-at-all",
    "foo.ck": None,
    "ck": None,
    "bar.foo.ck": "bar.foo.ck",
    "www.ck": "www.ck",
    "a.www.ck": "www.ck",
    "city.kawasaki.jp": "city.kawasaki.jp",
    "a.b.kawasaki.jp": "a.b.kawasaki.jp",
    "b.kawasaki.jp": None,
    "someone.github.io": "someone.github.io",
    "x.someone.github.io": "someone.github.io",
    "bücher.example.de": "example.de",
    "a.xn--55qx5d.cn": "a.xn--55qx5d.cn",
    "a.公司.cn": "a.公司.cn",
    "公司.cn": None,
}


def test_registered_domains_of() -> None:
    assert domains(list(EXAMPLES)) == EXAMPLES


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_registered_domain_of_one_name(name: str) -> None:
    assert domain_of(name) == EXAMPLES[name]


@pytest.mark.parametrize("international", [False, True])
def test_one_name_is_as_many(international: bool) -> None:  # noqa: FBT001
    library = PublicSuffixList()
    for name in names_about_every_rule(international=international):
        assert domain_of(name) == library.privatesuffix(name), name


def test_every_name_stands_once_for_itself() -> None:
    assert domains(["example.com", "a.example.com"]) == {
        "example.com": "example.com",
        "a.example.com": "example.com",
    }


def names_about_every_rule(*, international: bool) -> list[str]:
    """Names at, above and below each rule of the list, in one of its spellings."""
    text = resources.files("publicsuffixlist").joinpath("public_suffix_list.dat")
    names: set[str] = set()
    for line in text.read_text("utf-8").splitlines():
        rule = line.split(maxsplit=1)[0] if line.strip() else "//"
        if rule.startswith("//"):
            continue
        base = rule.removeprefix("!").removeprefix("*.")
        if not international:
            base = base.encode("idna").decode("ascii")
        names |= {base, f"one.{base}", f"two.one.{base}", f"three.two.one.{base}"}
    return sorted(names)


@pytest.mark.parametrize("international", [False, True])
def test_every_rule_is_applied_as_by_the_library(international: bool) -> None:  # noqa: FBT001
    library = PublicSuffixList()
    names = names_about_every_rule(international=international)
    expected = {name: library.privatesuffix(name) for name in names}
    found = domains(list(expected))
    different = {
        name: (found[name], domain) for name, domain in expected.items() if found[name] != domain
    }
    assert len(names) > 30_000
    assert different == {}


LABELS = st.one_of(
    st.sampled_from(
        ["com", "co", "uk", "jp", "kobe", "city", "www", "ck", "io", "github", "kawasaki", "bd",
         "amazonaws", "compute", "s3", "us-east-1", "xn--55qx5d", "cn", "platform", "sh"]
    ),
    st.text("abcdefghijklmnopqrstuvwxyz0123456789-_", min_size=1, max_size=12),
)  # fmt: skip
NAMES = st.lists(LABELS, min_size=1, max_size=7).map(".".join)


@settings(max_examples=3, deadline=None)
@given(st.lists(NAMES, min_size=200, max_size=400, unique=True))
def test_random_names_are_split_as_by_the_library(names: list[str]) -> None:
    library = PublicSuffixList()
    assert domains(names) == {name: library.privatesuffix(name) for name in names}


def test_no_names_have_no_domains() -> None:
    assert domains([]) == {}
