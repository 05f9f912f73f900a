"""A finding as a text, and back."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer.findings import ConnectionId, Evidence, Finding
from analyzer.mitre import technique
from analyzer.watch.stored import finding_of, finding_text

TEXTS = st.text()
NUMBERS = st.floats(allow_nan=False, allow_infinity=False)


@given(
    st.builds(
        Finding,
        rule=TEXTS,
        note=TEXTS,
        source=TEXTS,
        first=NUMBERS,
        last=NUMBERS,
        score=st.floats(0, 1),
        techniques=st.sampled_from([(), (technique("T1046"),), (technique("T1071.004"),)]),
        message=TEXTS,
        destination=st.none() | TEXTS,
        port=st.none() | st.integers(0, 65535),
        proto=st.none() | TEXTS,
        subject=TEXTS,
        evidence=st.lists(
            st.builds(
                Evidence, TEXTS, NUMBERS | TEXTS, st.none() | NUMBERS, st.none() | NUMBERS, TEXTS
            )
        ).map(tuple),
        connections=st.integers(0),
        uids=st.lists(TEXTS).map(tuple),
        best=st.none()
        | st.builds(
            ConnectionId, st.none() | TEXTS, TEXTS, st.integers(), TEXTS, st.integers(), TEXTS
        ),
        server_names=st.lists(TEXTS).map(tuple),
        looked_up_as=st.lists(TEXTS).map(tuple),
    )
)
def test_it_comes_back_as_it_was(finding: Finding) -> None:
    assert finding_of(finding_text(finding)) == finding


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"rule": 1}', "1"])
def test_what_is_none(text: str) -> None:
    with pytest.raises(ValueError, match="no finding"):
        finding_of(text)


def test_a_technique_that_is_not_known() -> None:
    finding = Finding(
        rule="", note="", source="", first=0, last=0, score=0, techniques=(), message=""
    )
    values = json.loads(finding_text(finding)) | {"techniques": ["T9999"]}
    with pytest.raises(ValueError, match="no finding"):
        finding_of(json.dumps(values))
