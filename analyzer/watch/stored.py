"""A finding as a text that survives the process, and back: all of it, exactly."""

from __future__ import annotations

import json
from dataclasses import asdict, fields
from typing import Any

from analyzer.findings import ConnectionId, Evidence, Finding
from analyzer.mitre import technique


def finding_text(finding: Finding) -> str:
    """A finding as JSON, techniques by their ids."""
    values = {each.name: getattr(finding, each.name) for each in fields(finding)}
    values["techniques"] = [each.id for each in finding.techniques]
    values["evidence"] = [asdict(each) for each in finding.evidence]
    values["best"] = asdict(finding.best) if finding.best else None
    return json.dumps(values)


def finding_of(text: str) -> Finding:
    """The finding that :func:`finding_text` made a text of.

    Raises:
        ValueError: it made no such text.
    """
    try:
        values: dict[str, Any] = json.loads(text)
        values["techniques"] = tuple(technique(each) for each in values["techniques"])
        values["evidence"] = tuple(Evidence(**each) for each in values["evidence"])
        values["best"] = ConnectionId(**values["best"]) if values["best"] else None
        for name in ("uids", "server_names", "looked_up_as"):
            values[name] = tuple(values[name])
        return Finding(**values)
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"no finding: {error}") from error
