"""Notice types as a Zeek script, character by character."""

from __future__ import annotations

from dataclasses import replace

import analyzer
from analyzer.writers.zeek_types import notice_types

ADDRESS_SCAN, BEACON = (
    rule for rule in analyzer.load_rules() if rule.id in {"address_scan", "beacon"}
)

HEAD = """\
##! The notice types of zeek-analyzer's rules.
##!
##! Made from the rules by "zeek-analyzer rules notices": do not edit.

@load base/frameworks/notice

module ZeekAnalyzer;
"""


def test_each_type_once_with_all_that_have_it() -> None:
    slow = replace(ADDRESS_SCAN, id="a_slow_scan", title="One\n# host,  slowly")
    assert notice_types([BEACON, ADDRESS_SCAN, slow]) == (
        f"{HEAD}\n"
        "export {\n"
        "\tredef enum Notice::Type += {\n"
        "\t\t## One # host, slowly (rule a_slow_scan; ATT&CK T1046, T1018).\n"
        "\t\t## Address scan from a local host (rule address_scan; ATT&CK T1046, T1018).\n"
        "\t\tAddress_Scan,\n"
        "\t\t## Beacon (rule beacon; ATT&CK T1071.001, T1571, T1095).\n"
        "\t\tBeacon,\n"
        "\t};\n"
        "}\n"
    )


def test_what_is_declared_elsewhere_is_not_declared_again() -> None:
    own = replace(ADDRESS_SCAN, notice="ZeekAnalyzer::Own_Scan", title="Ours")
    assert notice_types([ADDRESS_SCAN, own], besides=[ADDRESS_SCAN, BEACON]) == (
        f"{HEAD}\n"
        "export {\n"
        "\tredef enum Notice::Type += {\n"
        "\t\t## Ours (rule address_scan; ATT&CK T1046, T1018).\n"
        "\t\tOwn_Scan,\n"
        "\t};\n"
        "}\n"
    )


def test_nothing_to_declare() -> None:
    assert notice_types([BEACON], besides=[BEACON]) == f"{HEAD}\n"
