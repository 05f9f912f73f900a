"""What deploy/ says, as far as it can be held against the program without the products."""

from __future__ import annotations

import configparser
import fnmatch
import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from analyzer.findings import Severity
from analyzer.mitre import TACTICS
from analyzer.writers.appending import AppendingLog
from analyzer.writers.ecs import ecs_document
from analyzer.writers.log_kinds import OutputFormat
from analyzer.writers.notice import OWN_COLUMNS, notice_row
from tests.test_writers import make_finding

ROOT = Path(__file__).parents[1]
DEPLOY = ROOT / "deploy"
SHIPPERS = DEPLOY / "shippers"
FILES = sorted(
    file for file in DEPLOY.rglob("*") if file.is_file() and file != DEPLOY / "README.md"
)


def test_the_page_names_every_file_and_no_other() -> None:
    page = (DEPLOY / "README.md").read_text()
    linked = set(re.findall(r"\]\((?!https?:)([^)#]+)\)", page))
    assert linked == {str(file.relative_to(DEPLOY)) for file in FILES}


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(DEPLOY)))
def test_every_file_can_be_read(file: Path) -> None:
    text = file.read_text()
    assert text.endswith("\n")
    if file.suffix in {".yml", ".yaml"}:
        assert yaml.safe_load(text)
    elif file.suffix == ".json":
        assert json.loads(text)["processors"]
    elif file.parent.name == "splunk":
        assert ini(file).sections()
    elif file.suffix == ".conf" and file.parent.name != "systemd":
        assert text.count("{") == text.count("}")


def ini(file: Path) -> configparser.ConfigParser:
    parser = configparser.ConfigParser(interpolation=None, delimiters=("=",), strict=True)
    parser.optionxform = str  # type: ignore[method-assign,assignment]
    parser.read_string(file.read_text())
    return parser


def quoted(name: str, option: str) -> str:
    found = re.search(rf'{option}\s*(?:=>?|\()\s*"([^"]+)"', (SHIPPERS / name).read_text())
    assert found is not None
    return found[1]


def load(name: str) -> Any:  # noqa: ANN401 - as many types as files
    return yaml.safe_load((SHIPPERS / name).read_text())


def patterns() -> dict[str, str]:
    """Where each shipper of notice.log looks."""
    ng = "syslog-ng/zeek-analyzer-rotated.conf"
    return {
        "rsyslog": quoted("rsyslog/50-zeek-analyzer.conf", "File"),
        "filebeat": load("filebeat/zeek.yml")[0]["notice"]["var.paths"][0],
        "vector": load("vector/zeek-analyzer.yaml")["sources"]["zeek_analyzer"]["include"][0],
        "fluent-bit": load("fluent-bit/zeek-analyzer.yaml")["pipeline"]["inputs"][0]["path"],
        "logstash": quoted("logstash/zeek-analyzer.conf", "path"),
        "syslog-ng, rotated": f"{quoted(ng, 'base-dir')}/{quoted(ng, 'filename-pattern')}",
    }


def names(directory: Path, format_: OutputFormat) -> tuple[str, str, list[str]]:
    """The live log, a rotated one, and what else there is in their directory."""
    with AppendingLog(directory, format=format_) as log:
        log.append([make_finding()])
        rotated = log.rotate()
        log.append([make_finding()])
        assert rotated is not None
        logs = (log.path.name, rotated.name)
        others = [file.name for file in directory.iterdir() if file.name not in logs]
    return (*logs, [*others, "findings.jsonl", "notice.ecs.ndjson"])


@pytest.mark.parametrize("shipper", patterns())
def test_shippers_look_where_logs_are(tmp_path: Path, shipper: str) -> None:
    live, rotated, others = names(tmp_path, "json")
    directory, _, pattern = patterns()[shipper].rpartition("/")
    assert directory == "/var/lib/zeek-analyzer"
    assert fnmatch.fnmatchcase(rotated, pattern)
    assert fnmatch.fnmatchcase(live, pattern) == (shipper != "syslog-ng, rotated")
    assert [name for name in others if fnmatch.fnmatchcase(name, pattern)] == []


def test_filestream_looks_where_ecs_is(tmp_path: Path) -> None:
    live, rotated, others = names(tmp_path, "ecs")
    (path,) = load("filebeat/zeek-analyzer-ecs.yml")[0]["paths"]
    pattern = path.rpartition("/")[2]
    assert all(fnmatch.fnmatchcase(name, pattern) for name in (live, rotated))
    strangers = {"findings.jsonl", "notice.log", *others} - {live}
    assert [name for name in strangers if fnmatch.fnmatchcase(name, pattern)] == []


def test_filestream_makes_a_document_of_what_the_schema_has() -> None:
    (fingerprint,) = load("filebeat/zeek-analyzer-ecs.yml")[0]["processors"]
    document = ecs_document(make_finding())
    for field in fingerprint["fingerprint"]["fields"]:
        first, second = field.split(".")
        assert document[first][second]


def test_splunk_finds_logs_and_their_time(tmp_path: Path) -> None:
    live, rotated, others = names(tmp_path, "json")
    (section,) = ini(SHIPPERS / "splunk" / "inputs.conf").sections()
    inputs = ini(SHIPPERS / "splunk" / "inputs.conf")[section]
    assert section == "monitor:///var/lib/zeek-analyzer"
    listed = re.compile(inputs["whitelist"])
    assert all(listed.search(f"/var/lib/zeek-analyzer/{name}") for name in (live, rotated))
    assert not [name for name in others if listed.search(f"/var/lib/zeek-analyzer/{name}")]
    props = ini(SHIPPERS / "splunk" / "props.conf")[inputs["sourcetype"]]
    line = notice_row(make_finding(), format="json")
    prefix = re.match(props["TIME_PREFIX"], line)
    assert prefix is not None
    rest = line[prefix.end() :][: int(props["MAX_TIMESTAMP_LOOKAHEAD"])]
    assert rest.startswith("1700000400.123456,")
    transforms = ini(SHIPPERS / "splunk" / "transforms.conf")
    assert props["TRANSFORMS-zeek_analyzer_comments"] in transforms


def test_splunk_knows_the_fields_of_notices() -> None:
    props = (SHIPPERS / "splunk" / "props.conf").read_text()
    notice = json.loads(notice_row(make_finding(destination="10.0.1.9"), format="json"))
    named = set(re.findall(r"'([a-z_.]+)'", props)) | set(re.findall(r'"([a-z_]+)\{\}"', props))
    assert named == {"src", "dst", "p", "id.orig_h", "id.resp_h", "id.resp_p", "score"} | {
        "mitre_technique_id",
        "mitre_tactic_id",
    }
    assert named <= set(notice)


def test_the_pipeline_knows_our_tactics_severities_and_columns() -> None:
    pipeline = json.loads((SHIPPERS / "elasticsearch" / "zeek-analyzer.json").read_text())
    attack, loudness = (p["script"] for p in pipeline["processors"] if "script" in p)
    assert attack["params"]["tactics"] == {tactic.id: tactic.name for tactic in TACTICS.values()}
    severities = {
        str(severity): ecs_document(make_finding(score=severity.bound))["event"]["severity"]
        for severity in Severity
        if severity
    }
    assert loudness["params"]["levels"] == severities
    used = set(re.findall(r"zeek\.notice\.([a-z_]+)", json.dumps(pipeline)))
    assert used == {name for name, _ in OWN_COLUMNS} | {"note", "msg", "sub"}


@pytest.mark.parametrize("name", ["logs-zeek.notice@custom.json", "filebeat-zeek-analyzer.json"])
def test_only_our_notices_are_sent_through_the_pipeline(name: str) -> None:
    (step,) = json.loads((SHIPPERS / "elasticsearch" / name).read_text())["processors"]
    assert step["pipeline"]["name"] == "zeek-analyzer"
    assert "startsWith('ZeekAnalyzer::')" in step["pipeline"]["if"]
    assert make_finding().note.startswith("ZeekAnalyzer::")


@pytest.fixture
def unit(tmp_path: Path) -> Path:
    """The service with a program that exists."""
    text = (DEPLOY / "systemd" / "zeek-analyzer.service").read_text()
    program = "/opt/zeek-analyzer/bin/zeek-analyzer"
    assert f"ExecStart={program} watch /opt/zeek/logs --out /var/lib/zeek-analyzer" in text
    copied = tmp_path / "zeek-analyzer.service"
    copied.write_text(text.replace(program, "/bin/true"))
    return copied


def analyze_unit(*arguments: str) -> tuple[int, str]:
    program = shutil.which("systemd-analyze")
    if program is None:
        pytest.skip("no systemd-analyze")
    process = subprocess.run(  # noqa: S603 - systemd's own check
        [program, *arguments], capture_output=True, text=True, check=False
    )
    if "unrecognized option" in process.stderr:
        pytest.skip("this systemd-analyze cannot look at a file")
    return process.returncode, process.stdout + process.stderr


def test_systemd_has_nothing_to_say_about_the_service(unit: Path) -> None:
    status, said = analyze_unit("verify", "--man=no", str(unit))
    assert (status, [line for line in said.splitlines() if unit.name in line]) == (0, [])


def test_the_service_is_shut_in(unit: Path) -> None:
    # In tenths: 10 is what the page says with some room for other versions of systemd.
    status, said = analyze_unit("security", "--offline=true", "--threshold=10", str(unit))
    assert status == 0, said


def test_the_services_user_exists() -> None:
    service = (DEPLOY / "systemd" / "zeek-analyzer.service").read_text()
    users = (DEPLOY / "systemd" / "zeek-analyzer.sysusers.conf").read_text()
    settings = dict(re.findall(r"^([A-Za-z]+)=(.*)$", service, re.MULTILINE))
    assert re.search(rf"^u +{settings['User']} ", users, re.MULTILINE)
    group = settings["SupplementaryGroups"]
    assert re.search(rf"^m +{settings['User']} +{group}$", users, re.MULTILINE)
    assert settings["Group"] == settings["User"]


def test_the_image_is_made_of_what_is_here_and_runs_without_root() -> None:
    text = (DEPLOY / "container" / "Containerfile").read_text().replace("\\\n", " ")
    stages = text.split("\nFROM ")[1:]
    assert len(stages) == 2
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", stages[0], re.MULTILINE)
    assert copied
    sources = " ".join(copied).split()
    assert all((ROOT / source).exists() for source in sources)
    # The package, the rules that stand beside it, and what setuptools reads.
    assert {"analyzer", "rules", "setup.cfg", "pyproject.toml", "README.md"} <= set(sources)
    assert re.findall(r"^USER (\S+)$", stages[1], re.MULTILINE) == ["10101:10101"]
    assert "pip" not in stages[1]


def test_ci_s_script_is_one() -> None:
    shell = shutil.which("bash")
    if shell is None:
        pytest.skip("no bash")
    for script in ("run", "shippers"):
        checked = subprocess.run([shell, "-n", ROOT / ".ci" / script], check=False)  # noqa: S603
        assert checked.returncode == 0
