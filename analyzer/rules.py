"""Rules: one YAML file each, which sets up a detector and says what its findings mean.

The keys are those of the Sigma rule specification where it has one (``title`` to ``level``);
``detector``, ``notice``, ``params`` and ``cases`` are ours.
"""

from __future__ import annotations

import datetime as dt
import fnmatch
import importlib.util
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from analyzer.cases import LEVELS, Case, parse_case
from analyzer.errors import OptionError, RuleError, rule_error
from analyzer.findings import Finding, Severity
from analyzer.mitre import TACTICS, TECHNIQUES, Technique, suggest
from analyzer.parameters import read_parameters
from analyzer.yaml_lines import Node, Reading, did_you_mean, joined, read_yaml

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from analyzer.detectors.detection import Detection

STATUSES = ("stable", "test", "experimental")

_REQUIRED = (
    "title",
    "id",
    "status",
    "description",
    "references",
    "author",
    "date",
    "tags",
    "falsepositives",
    "level",
    "detector",
    "notice",
    "cases",
)
_OPTIONAL = ("modified", "params")
_SLUG = re.compile(r"[a-z][a-z0-9]*(?:_[a-z0-9]+)*")
_NOTICE = re.compile(r"ZeekAnalyzer::[A-Z][A-Za-z0-9]*(?:_[A-Z0-9][A-Za-z0-9]*)*")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_TECHNIQUE_TAG = re.compile(r"attack\.t[0-9]", re.IGNORECASE)
_TECHNIQUE_TAGS = {f"attack.{technique.id.lower()}": technique for technique in TECHNIQUES.values()}
_TACTIC_TAGS = [f"attack.{tactic.shortname}" for tactic in TACTICS.values()]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A detector set up to look for one thing.

    Attributes:
        id: its name on the command line and in findings; also the stem of its file.
        title: what it finds, in a few words.
        status: ``stable``, ``test`` or ``experimental``.
        description: what it finds, in sentences.
        references: where to read more.
        author: who wrote it.
        date: when it was written.
        modified: when it last changed, if it has.
        techniques: the ATT&CK techniques it shows, the main one first.
        falsepositives: what else looks like it.
        level: the loudest severity a finding of it may have.
        detector: name of the detector it sets up.
        notice: Zeek notice type of its findings.
        parameters: an instance of the detector's parameters.
        cases: traffic that it must and must not find.
        file: where it was read from.
    """

    id: str
    title: str
    status: str
    description: str
    references: tuple[str, ...]
    author: str
    date: dt.date
    modified: dt.date | None
    techniques: tuple[Technique, ...]
    falsepositives: tuple[str, ...]
    level: Severity
    detector: str
    notice: str
    parameters: object
    cases: tuple[Case, ...]
    file: Path

    def finding(self, detection: Detection) -> Finding:
        """What this rule makes of a detection, no louder than its level lets it be."""
        preferred = detection.technique
        techniques = sorted(self.techniques, key=lambda technique: technique.id != preferred)
        if detection.alone:
            techniques = [each for each in techniques if each.id == preferred] or techniques
        return Finding(
            rule=self.id,
            note=self.notice,
            source=detection.source,
            destination=detection.destination,
            port=detection.port,
            proto=detection.proto,
            subject=detection.subject,
            first=detection.first,
            last=detection.last,
            score=min(detection.score, self.level.highest),
            techniques=tuple(techniques),
            message=detection.message,
            evidence=detection.evidence,
            connections=detection.connections,
        )


def load_rules(directory: Path | None = None, *, detectors: Mapping[str, type]) -> tuple[Rule, ...]:
    """The rules of a directory (``*.yaml``, ``*.yml``), sorted by id.

    Args:
        directory: where they are; None for those that ship with the package.
        detectors: the parameters dataclass of each detector, by the detector's name.

    Raises:
        RuleError: a file breaks the contract, two share an id, or there are none. The complaints
            about all files are in its text, one a line.
    """
    directory = shipped_rules() if directory is None else directory
    try:
        files = sorted(path for path in directory.iterdir() if path.suffix in {".yaml", ".yml"})
    except OSError as error:
        message = f"rules cannot be read from here: {error.strerror}"
        raise rule_error(message, directory, None) from error
    if not files:
        raise rule_error("holds no rules (*.yaml, *.yml)", directory, None)
    rules: dict[str, Rule] = {}
    errors: list[RuleError] = []
    for file in files:
        try:
            rule = load_rule(file, detectors=detectors)
        except RuleError as error:
            errors.append(error)
            continue
        first = rules.setdefault(rule.id, rule)
        if first is not rule:
            line = read_yaml(Reading(file)).key_lines["id"]
            errors.append(rule_error(f"duplicate id {rule.id!r}, also in {first.file}", file, line))
    if errors:
        raise joined(errors)
    return tuple(rules[identifier] for identifier in sorted(rules))


def load_rule(path: Path, *, detectors: Mapping[str, type]) -> Rule:
    """The rule of a file; ``detectors`` as for :func:`load_rules`.

    Raises:
        RuleError: it breaks the contract; the complaints are in its text, one a line, each with
            its place.
    """
    reading = Reading(path)
    root = read_yaml(reading)
    if not isinstance(root.value, dict):
        reading.complain(f"a rule must be a mapping, found {root}", root.line)
        reading.finish()
    entries = reading.mapping(root, "the rule", _REQUIRED, _OPTIONAL)
    get = entries.get
    level = reading.choice(get("level"), "level", LEVELS)
    detector = reading.choice(get("detector"), "detector", sorted(detectors))
    parameters: object = None
    if detector:
        params = get("params") or Node({}, root.line)
        parameters = read_parameters(detectors[detector], params, reading)
    rule = Rule(
        id=_identifier(get("id"), reading),
        title=reading.text(get("title"), "title"),
        status=reading.choice(get("status"), "status", STATUSES),
        description=reading.text(get("description"), "description"),
        references=reading.texts(get("references"), "references"),
        author=reading.text(get("author"), "author"),
        date=_date(get("date"), reading, "date") or dt.date.min,
        modified=_date(get("modified"), reading, "modified"),
        techniques=_techniques(get("tags"), reading),
        falsepositives=reading.texts(get("falsepositives"), "falsepositives"),
        level=Severity[level.upper()] if level else Severity.NONE,
        detector=detector,
        notice=_notice(get("notice"), reading),
        parameters=parameters,
        cases=_cases(get("cases"), reading),
        file=path,
    )
    reading.finish()
    return rule


def _identifier(node: Node | None, reading: Reading) -> str:
    text = reading.text(node, "id")
    if not (node and text):
        return ""
    if not _SLUG.fullmatch(text):
        message = f"id must be lower case words joined by _, such as address_scan, found {text!r}"
        reading.complain(message, node.line)
    elif text != reading.file.stem:
        reading.complain(f"id {text!r} is not the file's name {reading.file.stem!r}", node.line)
    return text


def _date(node: Node | None, reading: Reading, what: str) -> dt.date | None:
    if node is None:
        return None
    if isinstance(node.value, str) and _DATE.fullmatch(node.value):
        try:
            return dt.date.fromisoformat(node.value)
        except ValueError:
            pass
    reading.complain(f"{what} must be a date such as 2025-01-31, found {node}", node.line)
    return None


def _techniques(node: Node | None, reading: Reading) -> tuple[Technique, ...]:
    before = len(reading.errors)
    techniques: list[Technique] = []
    for place, item in enumerate(reading.items(node, "tags")):
        tag = reading.text(item, f"tags[{place}]")
        if tag in _TECHNIQUE_TAGS:
            techniques.append(_TECHNIQUE_TAGS[tag])
        elif tag and tag not in _TACTIC_TAGS:
            known = _TACTIC_TAGS
            if _TECHNIQUE_TAG.match(tag):
                known = [f"attack.{each.lower()}" for each in suggest(tag.partition(".")[2])[:1]]
            hint = did_you_mean(tag.lower(), known)
            reading.complain(f"unknown tag {tag!r}{hint}", item.line)
    if node and not techniques and len(reading.errors) == before:
        reading.complain("tags must name a technique, such as attack.t1046", node.line)
    return tuple(dict.fromkeys(techniques))


def _notice(node: Node | None, reading: Reading) -> str:
    text = reading.text(node, "notice")
    if node and text and not _NOTICE.fullmatch(text):
        message = f"notice must be like ZeekAnalyzer::Address_Scan, found {text!r}"
        reading.complain(message, node.line)
    return text


def _cases(node: Node | None, reading: Reading) -> tuple[Case, ...]:
    before = len(reading.errors)
    cases: dict[str, Case] = {}
    for place, item in enumerate(reading.items(node, "cases")):
        case = parse_case(item, reading, f"cases[{place}]")
        first = cases.setdefault(case.name, case)
        if case.name and first is not case:
            message = f"duplicate case {case.name!r}, first on line {first.line}"
            reading.complain(message, item.line)
    if node and len(reading.errors) == before:
        if all(case.benign for case in cases.values()):
            reading.complain("cases has no positive case, one that expects a finding", node.line)
        if not any(case.benign for case in cases.values()):
            reading.complain("cases has no benign case, one with expect: none", node.line)
    return tuple(cases.values())


def select(
    rules: Sequence[Rule], select: Collection[str] = (), ignore: Collection[str] = ()
) -> tuple[Rule, ...]:
    """The rules that are selected and not ignored, in their order.

    Args:
        rules: the rules to choose from.
        select: ids or shell patterns of those wanted; all if empty.
        ignore: ids or shell patterns of those not wanted.

    Raises:
        OptionError: an id or pattern matches no rule, or no rule is left.
    """
    identifiers = [rule.id for rule in rules]
    wanted = _matching(identifiers, select) if select else set(identifiers)
    unwanted = _matching(identifiers, ignore)
    chosen = tuple(rule for rule in rules if rule.id in wanted - unwanted)
    if not chosen:
        raise OptionError("no rule is left: every one that is selected is ignored")
    return chosen


def _matching(identifiers: Collection[str], patterns: Collection[str]) -> set[str]:
    matching: set[str] = set()
    for pattern in patterns:
        found = {name for name in identifiers if fnmatch.fnmatchcase(name, pattern)}
        if not found:
            hint = did_you_mean(pattern, identifiers)
            raise OptionError(f"no rule is called {pattern!r}{hint}")
        matching |= found
    return matching


def shipped_rules() -> Path:
    """The folder of the rules that come with the package.

    That is the package data ``analyzer.shipped_rules`` of an installation, or ``rules`` beside the
    package in a checkout.

    Raises:
        RuleError: there is neither.
    """
    spec = importlib.util.find_spec("analyzer.shipped_rules")
    installed = spec.submodule_search_locations if spec is not None else None
    checkout = Path(__file__).resolve().parent.parent / "rules"
    for folder in [*map(Path, installed or ()), checkout]:
        if any(folder.glob("*.y*ml")):
            return folder
    message = "the rules that ship with the analyzer are not here; reinstall it or give --rules"
    raise rule_error(message, checkout, None)
