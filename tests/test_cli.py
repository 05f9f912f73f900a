"""The command line: exit statuses, and what goes to which stream."""

from __future__ import annotations

import fcntl
import io
import os
import pty
import re
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from analyzer.cli import main
from analyzer.version import __version__

ROOT = Path(__file__).parents[1]
FIELDS = (
    ("ts", "time"),
    ("uid", "string"),
    ("id.orig_h", "addr"),
    ("id.orig_p", "port"),
    ("id.resp_h", "addr"),
    ("id.resp_p", "port"),
    ("proto", "enum"),
    ("duration", "interval"),
    ("orig_bytes", "count"),
    ("resp_bytes", "count"),
    ("conn_state", "string"),
)
BEGIN = 1768800000  # 2026-01-19 05:20:00 UTC
# One rule is enough wherever findings do not matter but time does.
SCAN = ("--select", "address_scan")
TITLE = "10.0.0.5 tried 100 hosts on 445/tcp"


def write_log(path: Path, rows: list[str]) -> Path:
    names, types = zip(*FIELDS, strict=True)
    head = ["#separator \\x09", "#set_separator\t,", "#empty_field\t(empty)", "#unset_field\t-"]
    head += ["#path\tconn", "\t".join(["#fields", *names]), "\t".join(["#types", *types])]
    path.write_text("\n".join([*head, *rows]) + "\n", encoding="utf-8")
    return path


def scan_rows(uid: str = "C{}", hosts: int = 100) -> list[str]:
    return [
        f"{BEGIN + i / 10:.6f}\t{uid.format(i)}\t10.0.0.5\t{40000 + i}\t10.0.1.{i + 1}\t445\ttcp"
        "\t-\t-\t-\tS0"
        for i in range(hosts)
    ]


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """A conn.log with an address scan."""
    return write_log(tmp_path / "conn.log", scan_rows())


class Said:
    """What a run in this process wrote."""

    def __init__(self, status: int, captured: pytest.CaptureFixture[str]) -> None:
        self.status = status
        self.out, self.err = captured.readouterr()


Run = Callable[..., Said]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs the command line in this process."""

    def run(*arguments: str | Path) -> Said:
        try:
            status = main([str(argument) for argument in arguments])
        except SystemExit as exited:
            status = int(exited.code or 0)
        return Said(status, capsys)

    return run


def start(*arguments: str | Path, **variables: str) -> subprocess.Popen[bytes]:
    """Run the command line in a process of its own."""
    pipe = subprocess.PIPE
    return subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, "-m", "analyzer", *arguments],
        stdin=subprocess.DEVNULL,
        stdout=pipe,
        stderr=pipe,
        env=environment(**variables),
    )


def environment(**variables: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name in {"PATH", "HOME", "TMPDIR"}}
    return {**kept, "PYTHONPATH": str(ROOT), **variables}


def shell(command: str, *arguments: str | Path, **variables: str) -> tuple[int, str, str]:
    """Run a line of bash in which ``"$@"`` stands for the command line with the arguments."""
    given = [sys.executable, "-m", "analyzer", *map(str, arguments)]
    process = subprocess.run(  # noqa: S603 - our own program
        ["/bin/bash", "-o", "pipefail", "-c", command, "bash", *given],
        capture_output=True,
        env=environment(**variables),
        text=True,
        check=False,
    )
    return process.returncode, process.stdout, process.stderr


# Statuses


def test_findings_are_results_not_failures(run: Run, log: Path) -> None:
    said = run("analyze", log)
    assert said.status == 0
    assert said.out.startswith(
        "Analysed 100 conn and 0 dns records from 1 file; 0 lines skipped\n"
        "2026-01-19 05:20:00 to 2026-01-19 05:20:09 UTC (9.9 s)\n"
    )
    assert re.search(r"^  CRITICAL 0\.95  10\.0\.0\.5 tried 100 hosts", said.out, re.MULTILINE)
    assert said.err == ""


def test_fail_on_tells_findings_from_none(run: Run, log: Path) -> None:
    assert run("analyze", log, *SCAN, "--fail-on", "critical").status == 1
    # What is not shown fails all the same: the two options do not depend on each other.
    few = write_log(log.with_name("few.log"), scan_rows(hosts=9))
    said = run("analyze", few, *SCAN, "--min-severity", "critical", "--fail-on", "low")
    assert said.status == 1
    assert "Nothing found at severity critical or above\n" in said.out
    assert "  Not shown: 1 weaker finding, below severity critical.\n" in said.out
    assert run("analyze", few, *SCAN, "--fail-on", "critical").status == 0


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ([], "the following arguments are required: COMMAND"),
        (["analyse"], "invalid choice: 'analyse' (choose from"),
        (["analyze"], "the following arguments are required: PATH"),
        (["analyze", "-q", "-v", "x"], "argument -v/--verbose: not allowed with argument -q"),
        (["analyze", "x", "--fail-on", "none"], "argument --fail-on: invalid choice: 'none'"),
        (["analyze", "x", "--min-severity", "loud"], "argument --min-severity: invalid choice"),
        (["analyze", "x", "--min-sev", "low"], "unrecognized arguments: --min-sev low"),
        (["analyze", "x", "--format", "xml"], "argument --format: invalid choice: 'xml'"),
        (["analyze", "x", "--threads", "two"], "argument --threads: invalid int value: 'two'"),
        (["analyze", "x", "--from", "noon"], "argument --from: 'noon' is no time: expected 2026-"),
        (["analyze", "x", "--to", "nan"], "argument --to: 'nan' is no time"),
        (["analyze", "x", "--to", "inf"], "argument --to: 'inf' is no time"),
        (["analyze", "x", "--to", "2026-02-30"], "argument --to: '2026-02-30' is no time"),
        (["rules"], "the following arguments are required: COMMAND"),
        (["rules", "show"], "the following arguments are required: RULE"),
    ],
)
def test_bad_usage(run: Run, arguments: list[str], complaint: str) -> None:
    said = run(*arguments)
    assert said.status == 2
    assert said.out == ""
    usage, _, message = said.err.rpartition("\nzeek-analyzer")
    assert usage.startswith("usage: zeek-analyzer")
    assert complaint in message
    assert message.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (
            ["--select", "adress_scan"],
            "no rule is called 'adress_scan'; did you mean 'address_scan'?",
        ),
        (["--ignore", "dns_tunel"], "no rule is called 'dns_tunel'; did you mean 'dns_tunnel'?"),
        (["--ignore", "*"], "no rule is left: every one that is selected is ignored"),
        (
            ["--local-nets", "10.0.0.0/8,10.1.0.0/33"],
            "'10.1.0.0/33' is no network: expected CIDR such as 10.0.0.0/8",
        ),
        (["--from", "2026-01-19", "--to", "2026-01-19T00:00Z"], "--from must be before --to"),
        (
            ["--memory-limit", "much"],
            "memory limit 'much': expected a size such as 2GiB or 800MB",
        ),
        (["--threads", "0"], "threads 0: expected 1 or more"),
        (
            ["--intel-severity", "low"],
            "--intel-severity is about the indicators that --intel-out FILE writes",
        ),
        (
            ["--format", "ecs", "--strict", "--out", "out"],
            "--strict is about Zeek's columns, which --format ecs does not write",
        ),
    ],
)
def test_options_that_make_no_sense(
    run: Run, log: Path, arguments: list[str], complaint: str
) -> None:
    said = run("analyze", log, *arguments)
    assert (said.status, said.out, said.err) == (2, "", f"zeek-analyzer: {complaint}\n")


def test_a_memory_limit_that_is_too_low(run: Run, log: Path) -> None:
    said = run("analyze", log, "--memory-limit", "1KiB")
    assert (said.status, said.out) == (2, "")
    assert said.err.startswith("zeek-analyzer: out of memory (")
    assert said.err.endswith("); raise --memory-limit or lower --threads\n")


def test_a_missing_path(run: Run, tmp_path: Path) -> None:
    missing = tmp_path / "missing.log"
    said = run("analyze", missing)
    complaint = f"zeek-analyzer: {missing}: no such file or directory\n"
    assert (said.status, said.out, said.err) == (2, "", complaint)


def test_a_directory_without_logs(run: Run, tmp_path: Path) -> None:
    said = run("analyze", tmp_path)
    assert (said.status, said.out) == (2, "")
    assert said.err == "zeek-analyzer: no files there to read\n"
    (tmp_path / "notes.txt").write_text("nothing\n")
    said = run("analyze", tmp_path)
    assert (said.status, said.out) == (2, "")
    assert said.err.startswith("zeek-analyzer: no conn or dns record in 1 file")


def test_a_log_without_records(run: Run, tmp_path: Path) -> None:
    said = run("analyze", write_log(tmp_path / "conn.log", []))
    assert (said.status, said.out) == (2, "")
    assert said.err.startswith("zeek-analyzer: no conn or dns record in 1 file")


def test_a_bug_is_not_hidden(run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr("analyzer.writers.rules.render_list", fail)
    with pytest.raises(RuntimeError, match="a bug"):
        run("rules", "list")
    assert list(tmp_path.iterdir()) == []


def test_a_signal_ends_the_run_quietly_and_cleans_up(log: Path) -> None:
    temporary = log.with_name("temporary")
    temporary.mkdir()
    feed = log.with_name("feed.log")
    os.mkfifo(feed)
    # The pipe opens once the other side reads it, and then keeps it waiting for more.
    with start("analyze", feed, TMPDIR=str(temporary)) as process, feed.open("wb") as stream:
        stream.write(log.read_bytes()[:2000])
        stream.flush()
        deadline = time.monotonic() + 30
        # What was written has been read, so the engine is open and its directory is there.
        while fcntl.ioctl(stream, termios.FIONREAD, b"\0" * 4) != b"\0" * 4:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        assert list(temporary.iterdir())
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out, err) == (143, b"", b"")
    assert list(temporary.iterdir()) == []


def test_a_query_that_a_signal_interrupts(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        try:
            signal.raise_signal(signal.SIGINT)
        except KeyboardInterrupt:
            raise RuntimeError("Query interrupted") from None

    before = signal.getsignal(signal.SIGINT)
    monkeypatch.setattr("analyzer.writers.rules.render_list", interrupted)
    said = run("rules", "list")
    assert (said.status, said.out, said.err) == (130, "", "")
    assert signal.getsignal(signal.SIGINT) is before


# Streams


def test_quiet_says_nothing(run: Run, log: Path) -> None:
    said = run("analyze", log, *SCAN, "-q")
    assert (said.status, said.out, said.err) == (0, "", "")


def test_quiet_still_says_what_failed(run: Run, tmp_path: Path) -> None:
    said = run("analyze", tmp_path, "-q")
    assert (said.status, said.out) == (2, "")
    assert said.err == "zeek-analyzer: no files there to read\n"


def test_verbose_shows_every_problem(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "1000")
    rows = scan_rows()
    for index in range(0, 50, 5):
        rows[index] = rows[index].replace(f"{BEGIN + index / 10:.6f}", "yesterday")
    log = write_log(tmp_path / "conn.log", rows)
    few, many = run("analyze", log, *SCAN), run("analyze", log, *SCAN, "-v")
    assert "90 conn and 0 dns records from 1 file; 10 lines skipped\n" in few.out
    first = [f"conn.log:{8 + index}" for index in range(0, 50, 5)]
    assert re.findall(r"conn\.log:\d+", few.out) == first[:3]
    assert re.findall(r"conn\.log:\d+", many.out) == first
    assert (few.status, many.status, few.err, many.err) == (0, 0, "", "")


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1", "ascii"])
def test_control_characters_of_a_log_do_not_reach_the_terminal(
    run: Run,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    encoding: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    log = write_log(Path("conn\x1b[31m.log"), scan_rows("\x1b[2J\x07\u202e{}é"))
    with log.open("ab") as stream:
        stream.write(b"\x1b[31m\xff\n")
    shown = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(shown, encoding))
    said = run("analyze", log, *SCAN, "-v")
    assert (said.status, said.err) == (0, "")
    text = shown.getvalue().decode(encoding)
    assert "1 line skipped" in text
    assert "\\x1b[2J\\x07\\u202e" in text
    assert "\n    conn\\x1b[31m.log:108\n" in text
    assert [c for c in text if not c.isprintable() and c != "\n"] == []
    assert ("é" in text) == (encoding != "ascii")
    assert ("\\xe9" in text) == (encoding == "ascii")


def test_control_characters_of_a_path_do_not_reach_the_terminal(run: Run) -> None:
    said = run("analyze", "/missing/\x1b31m\udcff")
    assert said.status == 2
    assert said.err == "zeek-analyzer: /missing/\\x1b31m\\xff: no such file or directory\n"


@pytest.mark.parametrize(
    ("arguments", "buffered"), [(("rules", "show", "*"), "1"), (("--help",), "")]
)
def test_a_reader_who_leaves_is_no_failure(arguments: tuple[str, ...], buffered: str) -> None:
    assert shell('"$@" | (exec <&-)', *arguments, PYTHONUNBUFFERED=buffered) == (0, "", "")


def test_a_reader_who_leaves_changes_no_status(log: Path) -> None:
    said = shell('"$@" | (exec <&-)', "analyze", log, *SCAN, "--fail-on", "low")
    assert said == (1, "", "")


def test_head(log: Path) -> None:
    status, out, err = shell('"$@" | head -n 1', "analyze", log, *SCAN)
    assert (status, err) == (0, "")
    assert out == "Analysed 100 conn and 0 dns records from 1 file; 0 lines skipped\n"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
def test_a_full_disk_at_the_other_end(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    with Path("/dev/full").open("w") as full, monkeypatch.context() as patched:
        patched.setattr(sys, "stdout", full)
        said = run("rules", "list")
    reason = "standard output cannot be written: No space left on device"
    assert (said.status, said.err) == (2, f"zeek-analyzer: {reason}\n")
    with Path("/dev/full").open("w") as full, monkeypatch.context() as patched:
        patched.setattr(sys, "stderr", full)
        assert run("rules", "show", "x").status == 2


def test_closed_streams(run: Run, log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as closed:
        closed.setattr(sys, "stdin", None)
        said = run("analyze", "-")
    assert (said.status, said.out) == (2, "")
    assert said.err.endswith("<stdin>: cannot be read: standard input is closed\n")
    with monkeypatch.context() as closed:
        closed.setattr(sys, "stderr", None)
        said = run("analyze", log, *SCAN)
    assert (said.status, said.out.partition(" conn")[0]) == (0, "Analysed 100")
    assert shell('"$@" 2>&-', "rules", "show", "x") == (2, "", "")
    assert shell('"$@" >&-', "rules", "list") == (0, "", "")


def test_standard_input(run: Run, log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(log.read_bytes())))
    said = run("analyze", "-", *SCAN)
    assert said.status == 0
    assert TITLE in " ".join(said.out.split())


class Terminal:
    """A terminal for a program to write to."""

    def __init__(self) -> None:
        self._reader, writer = pty.openpty()
        self.stream = os.fdopen(writer, "w")

    def shown(self) -> str:
        """All that has been written since the last time."""
        self.stream.write("END")
        self.stream.flush()
        text = b""
        while not text.endswith(b"END"):
            text += os.read(self._reader, 65536)
        return text.removesuffix(b"END").decode()

    def close(self) -> None:
        self.stream.close()
        os.close(self._reader)


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Iterator[Terminal]:
    for name in ("NO_COLOR", "FORCE_COLOR", "COLORTERM", "TTY_INTERACTIVE", "TTY_COMPATIBLE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "100")
    terminal = Terminal()
    yield terminal
    terminal.close()


def test_progress_on_a_terminal_only(
    run: Run, terminal: Terminal, log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stderr", terminal.stream)
    said = run("analyze", log, *SCAN)
    assert said.status == 0
    assert said.out.startswith("Analysed 100")
    assert "\x1b" not in said.out
    shown = terminal.shown()
    assert "hosts" in shown
    assert "\x1b[?25h" in shown  # the cursor is shown again
    said = run("analyze", log, *SCAN, "-q")
    assert (said.status, said.out, terminal.shown()) == (0, "", "")


def test_no_progress_where_nothing_can_be_read(
    run: Run, terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stderr", terminal.stream)
    said = run("analyze", "missing.log")
    assert (said.status, said.out) == (2, "")
    shown = terminal.shown()
    assert shown.endswith("zeek-analyzer: missing.log: no such file or directory\r\n")
    assert shown.rindex("\x1b[?25h") > shown.rindex("\x1b[?25l")


def test_colour_on_a_terminal_unless_unwanted(
    run: Run, terminal: Terminal, log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stderr", terminal.stream)
    arguments = ("analyze", log, *SCAN, "--out", log.with_name("out"))
    assert run(*arguments).status == 0
    assert "\x1b[1;37;41mCRITICAL 0.95" in terminal.shown()
    monkeypatch.setenv("NO_COLOR", "1")
    assert run(*arguments).status == 0
    shown = terminal.shown()
    assert "CRITICAL 0.95" in shown
    # Bold is no colour.
    assert set(re.findall(r"\x1b\[[0-9;]*m", shown)) <= {"\x1b[1m", "\x1b[0m"}


# Help


@pytest.mark.parametrize("arguments", [(), ("analyze",), ("rules",), ("rules", "check")])
def test_help(run: Run, arguments: tuple[str, ...]) -> None:
    said = run(*arguments, "--help")
    assert (said.status, said.err) == (0, "")
    assert said.out.startswith(f"usage: {' '.join(('zeek-analyzer', *arguments))}")


def test_version(run: Run) -> None:
    said = run("--version")
    assert (said.status, said.out, said.err) == (0, f"zeek-analyzer {__version__}\n", "")


@pytest.mark.parametrize("argument", ["--version", "--help"])
def test_version_and_help_load_nothing_large(argument: str) -> None:
    program = (
        "import atexit, sys\n"
        "large = {'duckdb', 'ibis', 'numpy', 'pandas', 'pyarrow', 'rich', 'scipy'}\n"
        "atexit.register(lambda: print(sorted(large & set(sys.modules)), file=sys.stderr))\n"
        "from analyzer.cli import main\n"
        f"main([{argument!r}])\n"
    )
    process = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-c", program],
        capture_output=True,
        env=environment(),
        text=True,
        check=False,
    )
    assert (process.returncode, process.stderr) == (0, "[]\n")
