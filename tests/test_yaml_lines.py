from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.errors import Location, RuleError
from analyzer.yaml_lines import (
    MAXIMUM_BYTES,
    MAXIMUM_DEPTH,
    Node,
    Reading,
    did_you_mean,
    joined,
    read_yaml,
)

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "rule.yaml"


def read(file: Path, data: str | bytes) -> Node:
    file.write_bytes(data.encode() if isinstance(data, str) else data)
    reading = Reading(file)
    node = read_yaml(reading)
    reading.finish()
    return node


def plain(node: Node) -> Any:  # noqa: ANN401
    if isinstance(node.value, list):
        return [plain(item) for item in node.value]
    if isinstance(node.value, dict):
        return {key: plain(item) for key, item in node.value.items()}
    return node.value


def complaint(file: Path, data: str | bytes) -> str:
    with pytest.raises(RuleError) as caught:
        read(file, data)
    return str(caught.value).replace(str(file), "rule.yaml")


def test_every_value_knows_its_line(file: Path) -> None:
    node = read(file, "# comment\na: 1\nb:\n  - x\n  - c: |\n      long\n    d: [1,\n      2]\n")
    assert plain(node) == {"a": 1, "b": ["x", {"c": "long\n", "d": [1, 2]}]}
    assert isinstance(node.value, dict)
    assert node.line == 2
    assert node.key_lines == {"a": 2, "b": 3}
    items = node.value["b"].value
    assert isinstance(items, list)
    assert [item.line for item in items] == [4, 5]
    inner = items[1].value
    assert isinstance(inner, dict)
    assert items[1].key_lines == {"c": 5, "d": 7}
    numbers = inner["d"].value
    assert isinstance(numbers, list)
    assert [number.line for number in numbers] == [7, 8]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("no", "no"),
        ("off", "off"),
        ("1:30", "1:30"),
        ("2025-01-31", "2025-01-31"),
        ("0x1f", "0x1f"),
        ("1_000", "1_000"),
        ("::1", "::1"),
        ("10.0.0.1", "10.0.0.1"),
        (".inf", ".inf"),
        ("<<", "<<"),
        ("'5'", "5"),
        ("5", 5),
        ("-7", -7),
        ("1.5", 1.5),
        ("1e3", 1000.0),
        ("1e+16", 1e16),
        ("true", True),
        ("false", False),
        ("null", None),
        ("~", None),
        ("", None),
    ],
)
def test_scalars_follow_the_core_schema(file: Path, text: str, value: object) -> None:
    found = plain(read(file, f"key: {text}\n"))["key"]
    assert found == value
    assert type(found) is type(value)


def test_byte_order_mark_is_no_content(file: Path) -> None:
    assert plain(read(file, b"\xef\xbb\xbfa: 1\n")) == {"a": 1}


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ("", "rule.yaml:1: is empty"),
        ("# only this\n", "rule.yaml:1: is empty"),
        ("a: 1\nb: 2\na: 3\n", "rule.yaml:3: duplicate key 'a', first on line 1"),
        ("a: 1\n2: b\n", "rule.yaml:2: a key must be text, found 2"),
        ("? [a]\n: 1\n", "rule.yaml:1: a key must be text, found a list"),
        (
            "a: &x 1\nb: *x\n",
            "rule.yaml:1: is not valid YAML: aliases and anchors are not allowed",
        ),
        ("a: 1\nb: *x\n", "rule.yaml:2: is not valid YAML: aliases and anchors are not allowed"),
        (
            "a: !!python/object/apply:os.system [id]\n",
            (
                "rule.yaml:1: is not valid YAML: tags are not allowed, "
                "found tag:yaml.org,2002:python/object/apply:os.system"
            ),
        ),
        ("a: 1\n b: 2\n", "rule.yaml:2: is not valid YAML: mapping values are not allowed here"),
        (
            "a: 1\n---\nb: 2\n",
            (
                "rule.yaml:2: is not valid YAML: but found another document "
                "(expected a single document in the stream from line 1)"
            ),
        ),
        ("a: b\nc: \x07\n", "rule.yaml:2: is not valid YAML: character U+0007 is not allowed"),
        (b"a: b\nc: \xff\n", "rule.yaml:2: is not UTF-8: byte 0xff"),
        ("a: 1\nb: 1e999\n", "rule.yaml:2: a number is too large to be held exactly"),
        ("a: 9223372036854775808\n", "rule.yaml:1: a number is too large to be held exactly"),
        ('a: "\\ud800"\n', "rule.yaml:1: text holds half of a surrogate pair"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(file: Path, data: str | bytes, expected: str) -> None:
    assert complaint(file, data) == expected


def test_escape_beyond_unicode(file: Path) -> None:
    assert complaint(file, 'a: 1\nb: "\\UFFFFFFFF"\n').startswith(
        "rule.yaml:2: is not valid YAML: "
    )


def test_depth_is_limited(file: Path) -> None:
    allowed = MAXIMUM_DEPTH - 1
    read(file, "[" * allowed + "1" + "]" * allowed)
    expected = f"rule.yaml:1: is not valid YAML: nested more than {MAXIMUM_DEPTH} deep"
    assert complaint(file, "[" * (allowed + 1) + "1" + "]" * (allowed + 1)) == expected
    assert complaint(file, "[" * 100_000) == expected


def test_size_is_limited(file: Path) -> None:
    assert plain(read(file, b"a: 1\n" + b"\n" * (MAXIMUM_BYTES - 5))) == {"a": 1}
    assert complaint(file, b"a: 1\n" + b"\n" * (MAXIMUM_BYTES - 4)) == (
        "rule.yaml: is larger than 1,000,000 bytes, the limit of a rule file"
    )


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(RuleError) as caught:
        read_yaml(Reading(tmp_path / "gone.yaml"))
    assert (
        str(caught.value) == f"{tmp_path / 'gone.yaml'}: cannot be read: No such file or directory"
    )


def test_accessors_return_what_fits_and_complain_otherwise(file: Path) -> None:
    reading = Reading(file)
    assert reading.text(Node(" x ", 1), "name") == "x"
    assert reading.texts(Node([Node("x", 1), Node("y", 2)], 1), "names") == ("x", "y")
    assert reading.integer(Node(5, 1), "count", 1, 5) == 5
    assert reading.choice(Node("low", 1), "level", ["low", "high"]) == "low"
    assert reading.mapping(Node({"a": Node(1, 1)}, 1, {"a": 1}), "it", ["a"]) == {"a": Node(1, 1)}
    assert reading.text(None, "name") == reading.choice(None, "level", ["low"]) == ""
    assert reading.items(None, "names") == []
    reading.finish()

    assert reading.text(Node("  ", 1), "name") == ""
    assert reading.text(Node(5, 2), "name") == ""
    reading.texts(Node([Node("x", 3), Node(value=True, line=4)], 3), "names")
    reading.items(Node({}, 5), "names")
    reading.integer(Node(value=True, line=6), "count", 1, 5)
    reading.integer(Node(6, 7), "count", 1, 5)
    reading.choice(Node("hgih", 8), "level", ["low", "high"])
    reading.mapping(Node([], 9), "it", ["a"])
    reading.mapping(Node({"aple": Node(1, 11)}, 10, {"aple": 11}), "it", ["apple"], ["b"])
    with pytest.raises(RuleError) as caught:
        reading.finish()
    assert caught.value.location == Location(str(file), 1)
    assert str(caught.value).replace(str(file), "f").splitlines() == [
        "f:1: name must be text, found the text '  '",
        "f:2: name must be text, found 5",
        "f:4: names[1] must be text, found true",
        "f:5: names must be a list, found a mapping",
        "f:6: count must be an integer from 1 to 5, found true",
        "f:7: count must be an integer from 1 to 5, found 6",
        "f:8: level must be one of low, high, found the text 'hgih'; did you mean 'high'?",
        "f:9: it must be a mapping, found a list",
        "f:11: it has an unknown key 'aple'; did you mean 'apple'?",
        "f:10: it lacks the key 'apple'",
    ]


def test_long_text_is_shown_shortened() -> None:
    assert str(Node("x" * 41, 1)) == f"the text '{'x' * 37}...'"
    assert str(Node("x" * 40, 1)) == f"the text '{'x' * 40}'"
    assert str(Node(None, 1)) == "nothing"


def test_joined_keeps_the_place_of_the_first() -> None:
    errors = [RuleError("one", Location("a", 1)), RuleError("two", Location("b", 2))]
    assert str(joined(errors)) == "a:1: one\nb:2: two"
    assert joined(errors).location == Location("a", 1)


def test_did_you_mean() -> None:
    assert did_you_mean("tresholds", ["threshold", "window"]) == "; did you mean 'threshold'?"
    assert did_you_mean("zzz", ["threshold"]) == ""


@settings(deadline=None)  # a busy machine is no failure
@given(
    data=st.one_of(
        st.binary(max_size=200),
        st.text(alphabet="ab:-[]{}&*!|>'\"\\?#%@,\n\t 0.eUx~<", max_size=80).map(str.encode),
    )
)
def test_no_bytes_give_anything_but_a_node_or_a_rule_error(
    tmp_path_factory: pytest.TempPathFactory, data: bytes
) -> None:
    file = tmp_path_factory.getbasetemp() / "any.yaml"
    with contextlib.suppress(RuleError):
        assert read(file, data).line >= 1
