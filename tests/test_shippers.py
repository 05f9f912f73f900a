"""Real shippers with the configurations of deploy/: each notice arrives once, as it was written."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from analyzer.findings import Evidence, Finding
from analyzer.writers.appending import AppendingLog
from analyzer.writers.ecs import ecs_lines
from analyzer.writers.log_kinds import OutputFormat
from analyzer.writers.notice import notice_row
from tests.test_writers import make_finding

SHIPPERS = Path(__file__).parents[1] / "deploy" / "shippers"
PATH = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
PATIENCE = 20.0

FRAME = re.compile(rb"(\d+) (<\d+>1 \S+ \S+ (\S+) \S+ \S+ (?:-|\[.*?\]) (.*))", re.DOTALL)


def finding(number: int) -> Finding:
    """A finding of its own number; one of them has more to say than a syslog line usually holds."""
    evidence = (Evidence("names", "é\\\"'%" * 4000),) if number == 1 else ()
    return make_finding(
        source=f"10.0.0.{number}", message=f'number {number}: é\t\\ "q" %n #\x00', evidence=evidence
    )


@dataclass
class Siem:
    """What a SIEM is to a shipper: a port that takes frames of octet-counted syslog."""

    server: socket.socket = field(default_factory=lambda: socket.create_server(("127.0.0.1", 0)))
    streams: list[bytearray] = field(default_factory=list)

    def __post_init__(self) -> None:
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def port(self) -> int:
        port: int = self.server.getsockname()[1]
        return port

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self.server.accept()
            except OSError:
                return
            stream = bytearray()
            self.streams.append(stream)
            threading.Thread(target=self._read, args=(connection, stream), daemon=True).start()

    @staticmethod
    def _read(connection: socket.socket, stream: bytearray) -> None:
        with connection:
            while received := connection.recv(1 << 16):
                stream += received

    def messages(self) -> list[str]:
        """Messages in order of arrival, without their syslog headers."""
        found = []
        for stream in list(self.streams):
            rest = bytes(stream)
            while rest:
                length, _, rest = rest.partition(b" ")
                frame, rest = rest[: int(length)], rest[int(length) :]
                if len(frame) < int(length):
                    break
                message = FRAME.fullmatch(length + b" " + frame)
                assert message is not None, frame
                assert message[3] == b"zeek-analyzer"
                # syslog-ng ends its frames with a line feed of its own.
                found.append(message[4].decode().removesuffix("\n"))
        return found

    def wait_for(self, expected: Sequence[str]) -> None:
        """Wait until these messages have arrived, in whatever order, and no others."""
        until = time.monotonic() + PATIENCE
        while len(self.messages()) < len(expected) and time.monotonic() < until:
            time.sleep(0.02)
        # What comes twice comes soon after.
        time.sleep(0.3)
        assert sorted(self.messages()) == sorted(expected)


@pytest.fixture
def siem() -> Iterator[Siem]:
    receiver = Siem()
    yield receiver
    receiver.server.close()


def program(name: str) -> str:
    path = shutil.which(name, path=PATH)
    if path is None:
        pytest.skip(f"no {name}; .ci/shippers DIR puts it there, as root on Debian or Ubuntu")
    return path


@dataclass
class Shipper:
    """A shipper that can be stopped and started again."""

    command: list[str]
    errors: Path
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self.errors.open("ab") as errors:
            self.process = subprocess.Popen(self.command, stderr=errors, stdout=errors)  # noqa: S603

    def stop(self) -> None:
        if self.process is not None:
            self.process.terminate()
            assert self.process.wait(PATIENCE) == 0, self.errors.read_text()
            self.process = None

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait(PATIENCE)
            self.process = None


def configured(configuration: str, replaced: dict[str, str]) -> str:
    """A configuration of ours with the site's own values; each must stand in it."""
    text = (SHIPPERS / configuration).read_text()
    for ours, theirs in replaced.items():
        assert ours in text, ours
        text = text.replace(ours, theirs)
    return text


@pytest.fixture
def rsyslog(tmp_path: Path, siem: Siem, format_: OutputFormat) -> Iterator[Shipper]:
    shipper = configured_rsyslog(tmp_path, siem, format_)
    yield shipper
    shipper.kill()


@pytest.fixture
def syslog_ng(tmp_path: Path, siem: Siem, request: pytest.FixtureRequest) -> Iterator[Shipper]:
    shipper = configured_syslog_ng(tmp_path, siem, request.param)
    yield shipper
    shipper.kill()


def configured_rsyslog(directory: Path, siem: Siem, format_: OutputFormat) -> Shipper:
    executable = program("rsyslogd")
    site = {
        "/notice*.log": "/notice.ecs*.ndjson" if format_ == "ecs" else "/notice*.log",
        "/var/lib/zeek-analyzer": str(directory / "out"),
        "siem.example.org": "127.0.0.1",
        'port="514"': f'port="{siem.port}"',
    }
    text = configured("rsyslog/50-zeek-analyzer.conf", site)
    (directory / "50-zeek-analyzer.conf").write_text(text)
    (directory / "work").mkdir()
    main = directory / "rsyslog.conf"
    main.write_text(
        f'global(workDirectory="{directory}/work")\n'
        f'include(file="{directory}/50-zeek-analyzer.conf")\n'
    )
    checked = subprocess.run(  # noqa: S603 - rsyslog's own check
        [executable, "-N1", "-f", str(main)], capture_output=True, text=True, check=False
    )
    assert checked.returncode == 0, checked.stderr
    assert "error" not in checked.stderr
    # Killed, it leaves the file that -i names, and does not start beside it.
    return Shipper([executable, "-n", "-f", str(main), "-i", "NONE"], directory / "errors")


def configured_syslog_ng(directory: Path, siem: Siem, configuration: str) -> Shipper:
    executable = program("syslog-ng")
    site = {
        "/var/lib/zeek-analyzer": str(directory / "out"),
        "/var/lib/syslog-ng": str(directory),
        "siem.example.org": "127.0.0.1",
        "port(601)": f"port({siem.port})",
        "follow-freq(1)": "follow-freq(0.1)",
    }
    main = directory / "syslog-ng.conf"
    options = "options { keep-hostname(yes); stats-freq(0); };"
    text = configured(f"syslog-ng/{configuration}", site)
    main.write_text(f"@version: 3.35\n{options}\n{text}")
    names = {"-f": "syslog-ng.conf", "-R": "persist", "-c": "control", "-p": "pid"}
    files = [part for flag, name in names.items() for part in (flag, str(directory / name))]
    command = [executable, "--foreground", "--stderr", "--no-caps", *files]
    checked = subprocess.run(  # noqa: S603 - syslog-ng's own check
        [*command, "--syntax-only"], capture_output=True, text=True, check=False
    )
    assert checked.returncode == 0, checked.stderr
    assert "WARNING" not in checked.stderr
    return Shipper(command, directory / "errors")


def rows(numbers: Sequence[int], format_: OutputFormat) -> list[str]:
    findings = [finding(number) for number in numbers]
    if format_ == "ecs":
        return [line.rstrip("\n") for line in ecs_lines(findings)]
    return [notice_row(each, format=format_).rstrip("\n") for each in findings]


def opened(directory: Path, format_: OutputFormat) -> AppendingLog:
    return AppendingLog(directory / "out", format=format_, rotate_every=None)


@pytest.mark.parametrize("format_", ["json", "tsv", "ecs"])
def test_rsyslog(tmp_path: Path, siem: Siem, rsyslog: Shipper, format_: OutputFormat) -> None:
    shipper = rsyslog
    with opened(tmp_path, format_) as log:
        log.append([finding(0), finding(1)])
        shipper.start()
        siem.wait_for(rows(range(2), format_))
        log.append([finding(2)])
        siem.wait_for(rows(range(3), format_))
        # Rotated while it runs, and again, with notices just before and just after.
        for number in (3, 5):
            log.append([finding(number)])
            log.rotate()
            log.append([finding(number + 1)])
            siem.wait_for(rows(range(number + 2), format_))
        # A restart.
        shipper.stop()
        shipper.start()
        log.append([finding(7)])
        siem.wait_for(rows(range(8), format_))
        # Rotated twice while it is down.
        shipper.stop()
        for number in (8, 9):
            log.append([finding(number)])
            log.rotate()
        log.append([finding(10)])
        shipper.start()
        siem.wait_for(rows(range(11), format_))
        # Killed.
        shipper.kill()
        log.append([finding(11)])
        shipper.start()
        siem.wait_for(rows(range(12), format_))
        shipper.stop()
        siem.wait_for(rows(range(12), format_))
    if format_ != "tsv":
        documents = [json.loads(message) for message in siem.messages()]
        said = {document["msg" if format_ == "json" else "message"] for document in documents}
        assert said == {finding(number).message for number in range(12)}


@pytest.mark.parametrize("syslog_ng", ["zeek-analyzer.conf"], indirect=True)
@pytest.mark.parametrize("format_", ["json", "tsv"])
def test_syslog_ng(tmp_path: Path, siem: Siem, syslog_ng: Shipper, format_: OutputFormat) -> None:
    shipper = syslog_ng
    with opened(tmp_path, format_) as log:
        log.append([finding(0), finding(1)])
        shipper.start()
        siem.wait_for(rows(range(2), format_))
        log.append([finding(2)])
        log.rotate()
        log.append([finding(3)])
        siem.wait_for(rows(range(4), format_))
        shipper.stop()
        log.append([finding(4)])
        shipper.start()
        siem.wait_for(rows(range(5), format_))
        log.append([finding(5)])
        log.rotate()
        log.append([finding(6)])
        siem.wait_for(rows(range(7), format_))
        shipper.stop()
        siem.wait_for(rows(range(7), format_))


@pytest.mark.parametrize("syslog_ng", ["zeek-analyzer-rotated.conf"], indirect=True)
@pytest.mark.parametrize("format_", ["json", "tsv"])
def test_syslog_ng_with_rotated_logs(
    tmp_path: Path, siem: Siem, syslog_ng: Shipper, format_: OutputFormat
) -> None:
    shipper = syslog_ng
    with opened(tmp_path, format_) as log:
        log.append([finding(0), finding(1)])
        shipper.start()
        siem.wait_for([])
        for number in (2, 3):
            log.rotate()
            log.append([finding(number)])
        siem.wait_for(rows(range(3), format_))
        shipper.stop()
        for number in (4, 5):
            log.rotate()
            log.append([finding(number)])
        shipper.start()
        siem.wait_for(rows(range(5), format_))
        log.rotate()
        siem.wait_for(rows(range(6), format_))
        shipper.stop()
        siem.wait_for(rows(range(6), format_))
