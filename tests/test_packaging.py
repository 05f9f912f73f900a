"""The rules and the types are there however the package is installed."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import re
import subprocess
import sys
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
RULES = sorted(file.name for file in (ROOT / "rules").glob("*.yaml"))
MODULES = sorted(str(file.relative_to(ROOT)) for file in (ROOT / "analyzer").rglob("*.py"))
DATA = sorted(
    str(file.relative_to(ROOT))
    for suffix in ("*.txt", "*.npz", "*.json")
    for file in (ROOT / "analyzer").rglob(suffix)
)

# Licence expressions, and wheels without the package `wheel`.
SETUPTOOLS = 77

ASK = """
import analyzer
from analyzer.rules import shipped_rules
print(analyzer.__file__)
print(shipped_rules())
"""


def can_build() -> bool:
    """Whether a package can be built with what is installed, nothing being fetched."""
    if importlib.util.find_spec("pip") is None:
        return False
    try:
        version = importlib.metadata.version("setuptools")
    except importlib.metadata.PackageNotFoundError:
        return False
    return int(version.partition(".")[0]) >= SETUPTOOLS


builds = pytest.mark.skipif(not can_build(), reason=f"no pip, or no setuptools {SETUPTOOLS}")


def run(*command: str | Path, cwd: Path, path: Path | None = None) -> str:
    variables = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    if path is not None:
        variables["PYTHONPATH"] = str(path)
    process = subprocess.run(  # noqa: S603 - Python and git
        [str(part) for part in command],
        cwd=cwd,
        env=variables,
        capture_output=True,
        text=True,
        check=False,
    )
    assert process.returncode == 0, process.stderr
    return process.stdout


def places(python: Path | str, cwd: Path, path: Path | None = None) -> tuple[Path, Path]:
    """Where the package and the rules are that a program in a directory gets."""
    package, rules = run(python, "-c", ASK, cwd=cwd, path=path).splitlines()
    return Path(package).parent, Path(rules)


def pip(*arguments: str | Path, cwd: Path, python: Path | str = sys.executable) -> None:
    quiet = ("--quiet", "--disable-pip-version-check", "--no-input")
    run(python, "-m", "pip", *arguments, *quiet, "--no-deps", "--no-index", cwd=cwd)


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of what is under version control, or would be, to build in."""
    listed = run(
        "git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", cwd=ROOT
    ).split("\0")
    copied = tmp_path_factory.mktemp("build") / "checkout"
    for name in filter(None, listed):
        if (ROOT / name).is_file():
            (copied / name).parent.mkdir(parents=True, exist_ok=True)
            (copied / name).write_bytes((ROOT / name).read_bytes())
    return copied


@pytest.fixture(scope="module")
def wheel(checkout: Path) -> Path:
    directory = checkout.parent / "wheel"
    pip("wheel", checkout, "--no-build-isolation", "--wheel-dir", directory, cwd=checkout.parent)
    (file,) = directory.iterdir()
    return file


@builds
def test_the_wheel_holds_the_package_and_the_rules(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        (metadata,) = (name for name in names if name.endswith("/METADATA"))
        described = archive.read(metadata).decode()
    assert wheel.name.endswith("-py3-none-any.whl")
    information = metadata.partition("/")[0]
    inside = sorted(name for name in names if not name.startswith(f"{information}/"))
    rules = [f"analyzer/shipped_rules/{name}" for name in RULES]
    assert inside == sorted([*MODULES, *DATA, "analyzer/py.typed", *rules])
    assert f"{information}/licenses/LICENSE" in names
    assert re.search(r"^License-Expression: BSD-3-Clause$", described, re.MULTILINE)
    assert re.search(r"^Requires-Python: .*>=3\.11", described, re.MULTILINE)
    assert re.search(r"^Provides-Extra: dev$", described, re.MULTILINE)


@builds
def test_an_installed_wheel(wheel: Path, tmp_path: Path) -> None:
    installed = tmp_path / "installed"
    pip("install", wheel, "--no-compile", "--target", installed, cwd=tmp_path)
    package, rules = places(sys.executable, tmp_path, installed)
    assert package == installed / "analyzer"
    assert rules == installed / "analyzer" / "shipped_rules"
    assert sorted(file.name for file in rules.glob("*.yaml")) == RULES
    program = installed / "bin" / "zeek-analyzer"
    listed = run(sys.executable, program, "rules", "list", cwd=tmp_path, path=installed)
    assert len(
        re.findall(r"^ *[a-z_]+ +(?:low|medium|high|critical) ", listed, re.MULTILINE)
    ) == len(RULES)


@builds
def test_an_editable_install(checkout: Path, tmp_path: Path) -> None:
    environment = tmp_path / "environment"
    venv.create(environment, with_pip=False)
    python = environment / "bin" / "python"
    # What is installed here stands in for what pip would fetch.
    (packages,) = environment.glob("lib/python*/site-packages")
    dependencies = [entry for entry in sys.path if Path(entry).name == "site-packages"]
    (packages / "dependencies.pth").write_text("\n".join(dependencies) + "\n")
    editable = ("--no-build-isolation", "--editable", checkout)
    pip("install", *editable, cwd=tmp_path, python=python)
    assert places(python, tmp_path) == (checkout / "analyzer", checkout / "rules")
    program = environment / "bin" / "zeek-analyzer"
    assert run(program, "--version", cwd=tmp_path).startswith("zeek-analyzer ")


@builds
def test_the_source_distribution_builds_the_same_wheel(
    checkout: Path, wheel: Path, tmp_path: Path
) -> None:
    build = f"import setuptools.build_meta as b; print(b.build_sdist({str(tmp_path)!r}))"
    name = run(sys.executable, "-c", build, cwd=checkout).splitlines()[-1]
    with tarfile.open(tmp_path / name) as archive:
        archive.extractall(tmp_path, filter="data")
        files = {file.partition("/")[2] for file in archive.getnames()}
    assert files >= {"LICENSE", "pyproject.toml", "setup.cfg", "analyzer/py.typed", *MODULES}
    assert files >= {f"rules/{name}" for name in RULES}
    unpacked = tmp_path / name.removesuffix(".tar.gz")
    pip("wheel", unpacked, "--no-build-isolation", "--wheel-dir", tmp_path / "out", cwd=tmp_path)
    (again,) = (tmp_path / "out").iterdir()
    with zipfile.ZipFile(wheel) as one, zipfile.ZipFile(again) as other:
        assert sorted(one.namelist()) == sorted(other.namelist())


def test_a_checkout(tmp_path: Path) -> None:
    assert places(sys.executable, ROOT) == (ROOT / "analyzer", ROOT / "rules")
    assert places(sys.executable, tmp_path, ROOT) == (ROOT / "analyzer", ROOT / "rules")
