"""A morning with attacks, as logs, and what a batch run says of it."""

from __future__ import annotations

from pathlib import Path

import pytest

import analyzer
from analyzer.watch.options import Options
from analyzer.watch.service import state_directory
from analyzer.writers import write_notices
from tests.traffic import Attack, office


@pytest.fixture(scope="session")
def morning(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with conn.log, dns.log and ssl.log."""
    attacks = [
        Attack("address_scan", source="10.20.1.10", begin=1800.0),
        Attack("port_scan", source="10.20.1.12", begin=3600.0),
        Attack("dns_tunnel", source="10.20.1.8", begin=5400.0),
    ]
    directory = tmp_path_factory.mktemp("morning")
    office(6, hosts=20, days=0.125, attacks=attacks).write(directory)
    return directory


@pytest.fixture(scope="session")
def batch(morning: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with the notice.log of a batch run."""
    directory = tmp_path_factory.mktemp("batch")
    report = analyzer.analyze(morning)
    write_notices(report.findings, directory / "notice.log", written=0.0)
    return directory


@pytest.fixture
def options(tmp_path: Path) -> Options:
    (tmp_path / "logs").mkdir()
    return Options(
        tops=(tmp_path / "logs",),
        out=tmp_path / "out",
        state=state_directory(tmp_path / "out"),
        start="beginning",
        interval=1.0,
    )
