"""The compiled ways into tunnels lead where those in Python lead."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.parsers.pcap.internet import IPV4, IPV6
from analyzer.parsers.pcap.links import BROKEN_TUNNEL
from analyzer.parsers.pcap.tunnel_entries import (
    AYIYA,
    GENEVE,
    GRE,
    GTP,
    IP_IN_IP,
    TEREDO,
    TUNNEL_PORTS,
    UNSURE,
    VXLAN,
    enter_tunnel,
    udp_ports,
    udp_tunnel,
)
from analyzer.parsers.pcap.tunnels import BrokenTunnelError, detect, inside, ip_in_ip

PORTS = udp_ports()
HEADS = {
    GRE: st.sampled_from(
        [
            b"\0\0\x08\0",
            b"\x20\0\x08\0",
            b"\xb0\0\x86\xdd",
            b"\0\0\x65\x58",
            b"\x10\0\x88\xbe",
            b"\0\0",
        ]
    ),
    VXLAN: st.sampled_from([b"\x08", b"\0"]),
    GENEVE: st.sampled_from([b"\0\0\x65\x58", b"\2\0\x65\x58", b"\x40\0\x65\x58", b"\0\0\x08\0"]),
    GTP: st.sampled_from([b"\x30\xff" + bytes(6), b"\x32\xff" + bytes(10), b"\x30\1"]),
    IP_IN_IP: st.just(b""),
}
DATAGRAMS = st.sampled_from(
    [b"E\0\0\x14" + bytes(16), b"`\0\0\0\0\4" + bytes(38), b"E\0\0\x15" + bytes(16)]
)
CONTENTS = st.builds(bytes.__add__, DATAGRAMS, st.binary(max_size=30)) | st.binary(max_size=60)


@pytest.mark.parametrize("kind", HEADS)
@pytest.mark.parametrize("protocol", [IPV4, IPV6])
@settings(deadline=None)  # as the first run compiles
@given(data=st.data())
def test_both_ways_are_the_same(kind: int, protocol: int, data: st.DataObject) -> None:
    payload = data.draw(st.builds(bytes.__add__, HEADS[kind], CONTENTS))
    end = 3 + data.draw(st.integers(0, len(payload)))
    content = b"..." + payload
    entered = enter_tunnel(np.array(list(content), np.uint8), kind, protocol, 3, end)
    view = memoryview(content[:end])
    try:
        layer = ip_in_ip(view, protocol, 3, end) if kind == IP_IN_IP else inside(kind, view, 3, end)
    except BrokenTunnelError:
        assert entered == (UNSURE, 3)
        return
    if entered[0] == UNSURE:
        assert layer.kind == BROKEN_TUNNEL or kind in (GRE, GENEVE, GTP)
    else:
        assert (*entered, end) == layer


@pytest.mark.parametrize(
    ("kind", "payload", "entered"),
    [
        (VXLAN, b"\x08" + bytes(7), (0, 8)),
        (GENEVE, b"\1\0\x65\x58" + bytes(8), (0, 12)),
        (GTP, b"\x30\xff" + bytes(6) + b"E\0\0\x14" + bytes(16), (32, 8)),
        (GRE, b"\xb0\0\x08\0" + bytes(40), (32, 16)),
        (GRE, b"\x10\0\x88\xbe" + bytes(40), (0, 16)),
        (IP_IN_IP, b"E\0\0\x14" + bytes(16), (32, 0)),
        (AYIYA, bytes(60), (UNSURE, 0)),
        (TEREDO, bytes(60), (UNSURE, 0)),
        (UNSURE, bytes(60), (UNSURE, 0)),
    ],
)
def test_usual_tunnels_are_entered(kind: int, payload: bytes, entered: tuple[int, int]) -> None:
    data = np.array(list(payload), np.uint8)
    assert enter_tunnel(data, kind, IPV4, 0, len(payload)) == entered


@settings(deadline=None)
@given(payload=st.binary(max_size=60) | st.builds(bytes.__add__, st.binary(max_size=12), DATAGRAMS))
def test_no_tunnel_on_any_port_is_missed(payload: bytes) -> None:
    data = np.array(list(payload), np.uint8)
    found = udp_tunnel(data, PORTS, 40000, 40001, 0, len(payload))
    assert found in (0, UNSURE)
    if detect(memoryview(payload), 0, len(payload)):
        assert found == UNSURE


@pytest.mark.parametrize(
    ("source", "destination", "kind"),
    [
        (40000, 4789, VXLAN),
        (4789, 4789, VXLAN),
        (2152, 2152, GTP),
        (53, 4789, UNSURE),
        (4789, 40000, UNSURE),
        (4789, 6081, UNSURE),
        (4789, 53, UNSURE),
        (40000, 53, 0),
        (53, 53, 0),
        (40000, 4790, 0),
    ],
)
def test_ports(source: int, destination: int, kind: int) -> None:
    assert udp_tunnel(np.zeros(4, np.uint8), PORTS, source, destination, 0, 4) == kind


def test_servers_of_tunnels_are_servers() -> None:
    assert {port for port in TUNNEL_PORTS if PORTS[port] & 8 and PORTS[port] & 7} == {*TUNNEL_PORTS}
    assert PORTS[53] == 8
    assert PORTS[40000] == 0
