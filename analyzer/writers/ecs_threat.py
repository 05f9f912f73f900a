"""ATT&CK techniques in the Elastic Common Schema.

Fields: https://www.elastic.co/docs/reference/ecs/ecs-threat.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from analyzer.mitre import TACTICS, TECHNIQUES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analyzer.mitre import Tactic, Technique


def threat(techniques: Sequence[Technique]) -> dict[str, Any]:
    """ATT&CK techniques as the fields below ``threat``; nothing without techniques.

    A sub-technique stands below ``threat.technique.subtechnique`` under its own name, and its
    parent beside the other techniques. Tactics are in the order of the matrix.
    """
    if not techniques:
        return {}
    parents = dict.fromkeys(TECHNIQUES.get(each.id.partition(".")[0], each) for each in techniques)
    subs = [each for each in techniques if "." in each.id]
    tactics = [
        TACTICS[tactic] for tactic in TACTICS if any(tactic in t.tactics for t in techniques)
    ]
    return {
        "framework": "MITRE ATT&CK",
        "tactic": {
            "id": [tactic.id for tactic in tactics],
            "name": [tactic.name for tactic in tactics],
            "reference": [_tactic_url(tactic) for tactic in tactics],
        },
        "technique": {
            **_described(list(parents)),
            **({"subtechnique": _described(subs)} if subs else {}),
        },
    }


def _described(techniques: list[Technique]) -> dict[str, list[str]]:
    return {
        "id": [each.id for each in techniques],
        # ATT&CK cites a sub-technique with its parent's name; the schema has the parent beside it.
        "name": [
            each.name.partition(": ")[2] if "." in each.id else each.name for each in techniques
        ],
        "reference": [each.url for each in techniques],
    }


def _tactic_url(tactic: Tactic) -> str:
    return f"https://attack.mitre.org/tactics/{tactic.id}/"
