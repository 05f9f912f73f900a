"""ATT&CK in ECS: every technique we have, and several together."""

from __future__ import annotations

import pytest

from analyzer.mitre import TACTICS, TECHNIQUES, Technique, technique
from analyzer.writers.ecs_threat import threat


@pytest.mark.parametrize("one", TECHNIQUES.values(), ids=lambda each: each.id)
def test_every_technique_has_its_parent_and_its_tactics(one: Technique) -> None:
    fields = threat([one])
    found = fields["technique"]
    parent, _, sub = one.id.partition(".")
    assert found["id"] == [parent]
    assert found["name"] == [TECHNIQUES[parent].name]
    assert ("subtechnique" in found) == bool(sub)
    if sub:
        assert f"{found['name'][0]}: {found['subtechnique']['name'][0]}" == one.name
        assert found["subtechnique"]["id"] == [one.id]
        assert found["subtechnique"]["reference"] == [
            f"https://attack.mitre.org/techniques/{parent}/{sub}/"
        ]
    assert fields["framework"] == "MITRE ATT&CK"
    assert fields["tactic"]["id"] == list(one.tactics)
    assert fields["tactic"]["name"] == [TACTICS[tactic].name for tactic in one.tactics]


def test_several_have_each_parent_once_and_tactics_in_the_order_of_the_matrix() -> None:
    several = [technique(each) for each in ("T1071.004", "T1071", "T1046", "T1071.001")]
    fields = threat(several)
    assert fields["technique"]["id"] == ["T1071", "T1046"]
    assert fields["technique"]["subtechnique"]["id"] == ["T1071.004", "T1071.001"]
    assert fields["tactic"] == {
        "id": ["TA0007", "TA0011"],
        "name": ["Discovery", "Command and Control"],
        "reference": [
            "https://attack.mitre.org/tactics/TA0007/",
            "https://attack.mitre.org/tactics/TA0011/",
        ],
    }


def test_no_technique_is_no_threat() -> None:
    assert threat([]) == {}
