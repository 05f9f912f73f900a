from __future__ import annotations

import numpy as np
import pytest

from analyzer.parsers.pcap.dns_names import (
    class_names,
    opcode_names,
    query_type_names,
    response_code_names,
)

NO = np.array([False])


@pytest.mark.parametrize(
    ("code", "name"),
    [(1, "A"), (65, "HTTPS"), (255, "*"), (257, "CAA"), (54, "query-54"), (65535, "query-65535")],
)
def test_query_types(code: int, name: str) -> None:
    assert query_type_names(np.array([code]), NO, NO).to_pylist() == [name]


def test_netbios_asks_for_status_where_others_ask_for_services() -> None:
    types = np.array([33, 33, 32])
    netbios = np.array([True, False, True])
    names = query_type_names(types, np.zeros(3, np.bool_), netbios)
    assert names.to_pylist() == ["NBSTAT", "SRV", "NIMLOC"]


@pytest.mark.parametrize(
    ("code", "name"),
    [(1, "C_INTERNET"), (3, "C_CHAOS"), (255, "C_ANY"), (0, "qclass-0"), (32769, "qclass-32769")],
)
def test_classes(code: int, name: str) -> None:
    assert class_names(np.array([code]), NO).to_pylist() == [name]


@pytest.mark.parametrize(
    ("code", "name"), [(0, "NOERROR"), (3, "NXDOMAIN"), (8, "NXRRSet"), (15, "unassigned-15")]
)
def test_response_codes(code: int, name: str) -> None:
    assert response_code_names(np.array([code]), NO).to_pylist() == [name]


@pytest.mark.parametrize(
    ("code", "plain", "netbios"),
    [
        (0, "query", "netbios-query"),
        (4, "notify", "netbios-opcode-4"),
        (5, "dynamic-update", "netbios-registration"),
        (8, "opcode-8", "netbios-refresh"),
    ],
)
def test_opcodes(code: int, plain: str, netbios: str) -> None:
    names = opcode_names(np.array([code, code]), np.array([False, True]))
    assert names.to_pylist() == [plain, netbios]


def test_what_is_unset_has_no_name() -> None:
    unset = np.array([True, False])
    codes = np.array([-1, 1])
    assert query_type_names(codes, unset, np.zeros(2, np.bool_)).to_pylist() == [None, "A"]
    assert class_names(codes, unset).to_pylist() == [None, "C_INTERNET"]
    assert response_code_names(codes, unset).to_pylist() == [None, "FORMERR"]
