from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.errors import RuleError
from analyzer.parameters import (
    Bytes,
    Measure,
    Probability,
    Seconds,
    Share,
    parameter_table,
    read_parameters,
    written,
)
from analyzer.yaml_lines import Node, Reading, read_yaml

Port = Annotated[int, Measure("a port from 1 to 65535", low=1, high=65535)]


@dataclass(frozen=True, slots=True)
class Parameters:
    hosts: int = field(default=25, metadata={"meaning": "fewest hosts"})
    factor: float = 2.5
    strict: bool = False
    name: str = "plain"
    window: Seconds = field(default=3600.0, metadata={"meaning": "time looked at in one go"})
    volume: Bytes = 10e6
    failed: Share = 0.3
    tail: Probability = 0.001
    method: Literal["mean", "median"] = "mean"
    services: tuple[str, ...] = ("dns", "ssl")
    weights: tuple[float, ...] = ()
    windows: tuple[Seconds, ...] = (60.0, 86400.0)
    port: Port = 443


@dataclass(frozen=True, slots=True)
class Needy:
    window: Seconds
    ports: tuple[int, ...] = field(default_factory=lambda: (22, 3389))

    def __post_init__(self) -> None:
        if self.window < 10:
            raise ValueError("window must not be below 10s")


def read(file: Path, text: str, declared: type = Parameters) -> Any:  # noqa: ANN401
    file.write_text(text, encoding="utf-8")
    reading = Reading(file)
    parameters = read_parameters(declared, read_yaml(reading), reading)
    reading.finish()
    return parameters


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "rule.yaml"


def test_nothing_given_gives_the_defaults(file: Path) -> None:
    assert read(file, "{}") == Parameters()


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("hosts: 7", 7),
        ("factor: 3", 3.0),
        ("factor: -1.5", -1.5),
        ("strict: true", True),
        ("name: a b", "a b"),
        ("window: 90", 90.0),
        ("window: 0.5", 0.5),
        ("window: 90s", 90.0),
        ("window: 1.5h", 5400.0),
        ("window: 5m", 300.0),
        ("window: 24h", 86400.0),
        ("window: 7d", 604800.0),
        ("window: 7 d", 604800.0),
        ("volume: 500", 500.0),
        ("volume: 2 kB", 2000.0),
        ("volume: 10MB", 10e6),
        ("volume: 1.5 GB", 1.5e9),
        ("failed: 0", 0.0),
        ("failed: 1", 1.0),
        ("failed: 30%", 0.3),
        ("failed: 57%", 0.57),
        ("tail: 1e-9", 1e-9),
        ("method: median", "median"),
        ("services: []", ()),
        ("services: [http]", ("http",)),
        ("weights: [1, 2.5]", (1.0, 2.5)),
        ("windows: [5m, 90]", (300.0, 90.0)),
        ("port: 65535", 65535),
    ],
)
def test_value(file: Path, text: str, value: object) -> None:
    found = getattr(read(file, text), text.partition(":")[0])
    assert found == value
    assert type(found) is type(value)


TIME = "a time such as 90, 90s, 5m, 1h or 7d"
SIZE = "a size such as 500, 2 kB, 10 MB or 1.5 GB"
SHARE = "a share from 0 to 1 such as 0.3 or 30%"
PROBABILITY = "a probability above 0 and below 1"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("hosts: true", "params.hosts must be an integer, found true"),
        ("hosts: 2.0", "params.hosts must be an integer, found 2.0"),
        ("hosts: '7'", "params.hosts must be an integer, found the text '7'"),
        ("hosts:", "params.hosts must be an integer, found nothing"),
        ("factor: true", "params.factor must be a number, found true"),
        ("factor: x", "params.factor must be a number, found the text 'x'"),
        ("strict: 1", "params.strict must be true or false, found 1"),
        ("strict: yes", "params.strict must be true or false, found the text 'yes'"),
        ("name: 53", "params.name must be text, found 53"),
        ("window: -1", f"params.window must be {TIME}, found -1"),
        ("window: 5 weeks", f"params.window must be {TIME}, found the text '5 weeks'"),
        ("window: -5m", f"params.window must be {TIME}, found the text '-5m'"),
        ("window: true", f"params.window must be {TIME}, found true"),
        ("window: [1]", f"params.window must be {TIME}, found a list"),
        ("volume: 5m", f"params.volume must be {SIZE}, found the text '5m'"),
        ("volume: -5", f"params.volume must be {SIZE}, found -5"),
        ("failed: 1.01", f"params.failed must be {SHARE}, found 1.01"),
        ("failed: 101%", f"params.failed must be {SHARE}, found the text '101%'"),
        ("tail: 0", f"params.tail must be {PROBABILITY}, found 0"),
        ("tail: 1.0", f"params.tail must be {PROBABILITY}, found 1.0"),
        (
            "method: medain",
            (
                "params.method must be one of mean, median, found the text 'medain'; "
                "did you mean 'median'?"
            ),
        ),
        ("services: dns", "params.services must be a list, found the text 'dns'"),
        ("weights: [x]", "params.weights must be a number, found the text 'x'"),
        ("port: 0", "params.port must be a port from 1 to 65535, found 0"),
        ("port: 80.0", "params.port must be a port from 1 to 65535, found 80.0"),
        ("hots: 5", "params has an unknown key 'hots'; did you mean 'hosts'?"),
        ("[]", "params must be a mapping, found a list"),
    ],
)
def test_wrong_value(file: Path, text: str, complaint: str) -> None:
    with pytest.raises(RuleError) as caught:
        read(file, f"\n{text}\n")
    assert str(caught.value) == f"{file}:2: {complaint}"


def test_all_complaints_come_together_each_with_its_line(file: Path) -> None:
    with pytest.raises(RuleError) as caught:
        read(file, "hosts: x\nwindows:\n  - 5m\n  - never\nfactr: 1\n")
    assert str(caught.value).replace(str(file), "f").splitlines() == [
        "f:5: params has an unknown key 'factr'; did you mean 'factor'?",
        "f:1: params.hosts must be an integer, found the text 'x'",
        f"f:4: params.windows must be {TIME}, found the text 'never'",
    ]


def test_parameter_without_default_is_needed(file: Path) -> None:
    assert read(file, "window: 10", Needy) == Needy(window=10.0)
    with pytest.raises(RuleError) as caught:
        read(file, "ports: [1]", Needy)
    assert str(caught.value) == f"{file}:1: params lacks the key 'window'"


def test_what_the_dataclass_refuses_is_a_complaint(file: Path) -> None:
    with pytest.raises(RuleError) as caught:
        read(file, "window: 9", Needy)
    assert str(caught.value) == f"{file}:1: params: window must not be below 10s"


def test_type_that_no_parameter_can_have(file: Path) -> None:
    @dataclass
    class Odd:
        when: bytes = b""

    Odd.__annotations__ = {"when": bytes}
    with pytest.raises(TypeError, match="a parameter cannot be of type <class 'bytes'>"):
        read(file, "when: x", Odd)


@pytest.mark.parametrize(
    ("value", "annotation", "text"),
    [
        (3600.0, Seconds, "1h"),
        (90.0, Seconds, "90s"),
        (5400.0, Seconds, "90m"),
        (604800.0, Seconds, "7d"),
        (0.5, Seconds, "0.5"),
        (0.0, Seconds, "0.0"),
        (10e6, Bytes, "10 MB"),
        (1.5e9, Bytes, "1.5 GB"),
        (500.0, Bytes, "500 B"),
        (0.3, Share, "30%"),
        (0.0, Share, "0%"),
        (0.005, Share, "0.005"),
        (0.001, Probability, "0.001"),
        (443, Port, "443"),
        (True, bool, "true"),
        (7, int, "7"),
        ("dns", str, "dns"),
        ("true", str, '"true"'),
        ("a b", str, '"a b"'),
        ("", str, '""'),
        ((60.0, 86400.0), tuple[Seconds, ...], "[1m, 1d]"),
        ((), tuple[str, ...], "[]"),
    ],
)
def test_written(value: object, annotation: object, text: str) -> None:
    assert written(value, annotation) == text


def test_table() -> None:
    rows = {name: rest for name, *rest in parameter_table(Parameters(hosts=7, window=60.0))}
    assert rows["hosts"] == ["7", "25", "fewest hosts"]
    assert rows["window"] == ["1m", "1h", "time looked at in one go"]
    assert rows["services"] == ["[dns, ssl]", "[dns, ssl]", ""]
    assert list(rows) == list(Parameters.__slots__)
    assert parameter_table(Needy(window=20.0)) == [
        ("window", "20s", "", ""),
        ("ports", "[22, 3389]", "[22, 3389]", ""),
    ]


finite = st.floats(allow_nan=False, allow_infinity=False)
positive = st.floats(min_value=0, allow_nan=False, allow_infinity=False) | st.integers(
    0, 10**9
).map(float)


@settings(deadline=None)  # a busy machine is no failure
@given(
    parameters=st.builds(
        Parameters,
        hosts=st.integers(-(2**62), 2**62),
        factor=finite,
        strict=st.booleans(),
        name=st.text(),
        window=positive,
        volume=positive,
        failed=st.floats(0, 1) | st.integers(0, 100).map(lambda percent: percent / 100),
        tail=st.floats(0, 1, exclude_min=True, exclude_max=True),
        method=st.sampled_from(["mean", "median"]),
        services=st.lists(st.text()).map(tuple),
        weights=st.lists(finite).map(tuple),
        windows=st.lists(positive).map(tuple),
        port=st.integers(1, 65535),
    )
)
def test_what_is_written_reads_back_as_the_same(
    tmp_path_factory: pytest.TempPathFactory, parameters: Parameters
) -> None:
    file = tmp_path_factory.getbasetemp() / "back.yaml"
    text = "".join(f"{name}: {value}\n" for name, value, _, _ in parameter_table(parameters))
    assert read(file, text) == parameters


@settings(deadline=None)  # a busy machine is no failure
@given(value=st.none() | st.booleans() | st.integers() | finite | st.text())
def test_no_scalar_gives_anything_but_a_value_or_a_complaint(value: object) -> None:
    for name in Parameters.__slots__:
        reading = Reading(Path("rule.yaml"))
        node = Node({name: Node(value, 2)}, 1, {name: 2})  # type: ignore[arg-type]
        parameters = read_parameters(Parameters, node, reading)
        assert (parameters is None) == bool(reading.errors)
