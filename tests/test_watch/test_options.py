"""What the service is told, and the files it knows things from."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from analyzer.baseline.anonymise import Key
from analyzer.baseline.baseline import Baseline
from analyzer.baseline.file import write_baseline
from analyzer.errors import AllowlistError, BaselineError, InputError, OptionError
from analyzer.watch.options import Options, knowledge


@pytest.fixture
def options(tmp_path: Path) -> Options:
    (tmp_path / "logs").mkdir()
    return Options(tops=(tmp_path / "logs",), out=tmp_path / "out", state=tmp_path / "state")


def test_the_defaults_make_sense(options: Options) -> None:
    options.check()
    known = knowledge(options)
    assert len(known.rules) > 20
    assert (known.indicators, known.networks, known.baseline) == ((), (), None)


def test_what_makes_none(options: Options, tmp_path: Path) -> None:
    for wrong, message in (
        (replace(options, interval=0.1), "interval of 0.1 s: expected 1 s or more"),
        (replace(options, span=5.0), "window of 5 s: expected the interval or more"),
        (replace(options, most=0), "window of 0 rows: expected 1 or more"),
        (replace(options, slow_most=0), "slow window of 0 rows: expected 1 or more"),
    ):
        with pytest.raises(OptionError) as caught:
            wrong.check()
        assert str(caught.value) == message
    with pytest.raises(InputError, match="none: no such directory"):
        replace(options, tops=(tmp_path / "none",)).check()
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="file: expected a directory"):
        replace(options, tops=(tmp_path / "file",)).check()
    with pytest.raises(InputError, match="none: no such directory"):
        replace(options, baseline=tmp_path / "none" / "baseline").check()


def test_the_sensors_directory_is_the_sensors(options: Options, tmp_path: Path) -> None:
    (top,) = options.tops
    (tmp_path / "link").symlink_to(top)
    for own in (top, top / "current", tmp_path / "out" / ".." / "logs", tmp_path / "link" / "a"):
        for name, wrong in (
            ("out", replace(options, out=own)),
            ("state", replace(options, state=own)),
        ):
            with pytest.raises(OptionError) as caught:
                wrong.check()
            assert str(caught.value) == (
                f"--{name} {own} is in {top}, which is followed: expected another directory"
            )


def test_files_are_read(options: Options, tmp_path: Path) -> None:
    (tmp_path / "allow").write_text("10.0.0.1\n")
    (tmp_path / "intel").write_text(
        "#fields\tindicator\tindicator_type\tmeta.source\n198.51.100.7\tIntel::ADDR\tus\n"
    )
    write_baseline(Baseline(), tmp_path / "baseline")
    known = knowledge(
        replace(
            options,
            select=["port_scan"],
            allow=[str(tmp_path / "allow")],
            intelligence=[str(tmp_path / "intel")],
            local_networks=["10.0.0.0/8"],
            baseline=tmp_path / "baseline",
        )
    )
    assert [rule.id for rule in known.rules] == ["port_scan"]
    assert len(known.allowlist.entries) == len(known.indicators) == len(known.networks) == 1
    # A baseline that has learned nothing says nothing.
    assert known.baseline is None


def test_wrong_files_are_told(options: Options, tmp_path: Path) -> None:
    (tmp_path / "allow").write_text("rule:no_such_rule\n")
    with pytest.raises(AllowlistError, match="no_such_rule"):
        knowledge(replace(options, allow=[str(tmp_path / "allow")]))


def test_a_baseline_that_is_still_to_be_made(options: Options, tmp_path: Path) -> None:
    assert knowledge(replace(options, baseline=tmp_path / "none")).baseline is None


def test_a_window_as_long_as_the_slow_one_is_all_there_is(options: Options) -> None:
    assert options.keeps_days
    assert not replace(options, span=7 * 86400.0).keeps_days
    assert not replace(options, slow_span=0.0).keeps_days


def test_the_key_of_a_baseline(options: Options, tmp_path: Path) -> None:
    (tmp_path / "key").write_text("0123456789abcdef\n")
    (tmp_path / "other").write_text("another key of ours\n")
    hashed, plain = tmp_path / "hashed", tmp_path / "plain"
    write_baseline(Baseline(), plain)
    write_baseline(Baseline(key_check=Key(b"0123456789abcdef").check), hashed)
    with_key = replace(options, baseline=hashed, key_file=tmp_path / "key")
    known = knowledge(with_key)
    assert known.key is not None
    assert known.key.check == Key(b"0123456789abcdef").check
    for wrong, error, message in (
        (replace(with_key, key_file=None), BaselineError, "expected --key-file"),
        (replace(with_key, key_file=tmp_path / "other"), BaselineError, "hashes of another key"),
        (replace(with_key, baseline=plain), BaselineError, "no hashes of any key"),
        (replace(with_key, baseline=None), OptionError, "give that, too"),
        (replace(with_key, baseline=tmp_path / "none"), OptionError, "none: no such file"),
        (replace(with_key, key_file=tmp_path / "none"), OptionError, "none: cannot be read"),
    ):
        with pytest.raises(error, match=message):
            knowledge(wrong)
