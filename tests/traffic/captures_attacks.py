"""Attacks, packet by packet: each adds its own to an office's traffic and says what it did."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from tests.traffic import captures_messages as messages
from tests.traffic import names
from tests.traffic.captures_office import HOSTILE, NXDOMAIN, Office, outside, person
from tests.traffic.captures_tcp import SEGMENT
from tests.traffic.captures_wire import Host
from tests.traffic.truth import Truth

Attack = Callable[[Office], list[Truth]]

_BEGIN = 120.0
_RECORD = 16384


def _truth(
    attack: str,
    source: Host,
    times: list[float],
    technique: str,
    *,
    destination: str | None = None,
    port: int | None = None,
) -> list[Truth]:
    """What an attack did whose actions began and ended at `times`."""
    return [Truth(attack, source.address, destination, port, times[0], times[-1], technique)]


def _spread(office: Office, count: int, seconds: float) -> list[float]:
    """`count` times from soon after the beginning, evenly but for some unsteadiness."""
    step = seconds / count
    share = np.arange(count) + office.rng.uniform(0.0, 0.8, count)
    return [office.begin + _BEGIN + float(part) * step for part in share]


def address_scan(office: Office) -> list[Truth]:
    """SMB on 140 addresses of another network; most are silent, some refuse, a few answer."""
    source = office.people[3]
    times = _spread(office, 140, 75.0)
    for time, number in zip(times, office.rng.permutation(np.arange(1, 255)), strict=False):
        target = Host(f"10.20.8.{number}", hops=1, time_to_live=128)
        connection = office.connect(time, source, target, 445)
        chance = office.rng.random()
        if chance < 0.06:
            connection.open().reset(wait=0.01)
        elif chance < 0.14:
            connection.refused()
        else:
            connection.unanswered(retries=1)
    return _truth("address_scan", source, times, "T1046", port=445)


def port_scan(office: Office) -> list[Truth]:
    """400 ports of the file server, of which four are open and some are filtered."""
    source = office.people[2]
    times = _spread(office, 400, 60.0)
    opened = [135, 139, 445, 3389]
    closed = office.rng.permutation(np.setdiff1d(np.arange(1, 1024), opened))[:396].tolist()
    for time, port in zip(times, office.rng.permutation(closed + opened).tolist(), strict=True):
        connection = office.connect(time, source, office.FILES, port)
        if port in opened:
            connection.open().reset(wait=0.001)
        elif office.rng.random() < 0.2:
            connection.unanswered(retries=1)
        else:
            connection.refused()
    return _truth("port_scan", source, times, "T1046", destination=office.FILES.address)


def dns_tunnel(office: Office) -> list[Truth]:
    """330 TXT queries that carry 22 kB out in two labels of base 32 each, and answers with more."""
    source, domain = office.people[1], "t1.quillmoor.net"
    times = _spread(office, 330, 900.0)
    pieces = [names.base32(office.rng, 330, 55) for _ in range(2)]
    answers = names.base32(office.rng, 330, 80)
    for time, first, second, answer in zip(times, *pieces, answers, strict=True):
        name = f"{first}.{second}.{domain}"
        office.lookup(time, source, name, "TXT", [answer.encode()], ttl=0)
    return _truth("dns_tunnel", source, times, "T1071.004", destination="quillmoor.net", port=53)


def dga(office: Office) -> list[Truth]:
    """140 names a program made up, of which one exists; then a request to where that leads."""
    source, control = office.people[4], outside(HOSTILE, 44)
    times = _spread(office, 140, 1500.0)
    labels = names.pseudo_words(office.rng, 140, 11, 19)
    zones = office.rng.choice(["com", "net", "info", "biz", "ru"], 140).tolist()
    for time, label, zone in zip(times[:-1], labels, zones, strict=False):
        office.lookup(time, source, f"{label}.{zone}", rcode=NXDOMAIN, authority=zone)
    name = f"{labels[-1]}.{zones[-1]}"
    at = office.lookup(times[-1], source, name, "A", [control.address])
    body = office.rng.bytes(400)
    kind = "application/octet-stream"
    office.http(at, source, control, name, target="/gate.php", body=body, kind=kind)
    return _truth("dga", source, times, "T1568.002")


def beacon(office: Office) -> list[Truth]:
    """A call home over TLS every minute, a tenth sooner or later, until the end."""
    source, control, name = office.people[0], outside(HOSTILE, 23), "cdn-status.brackenfeed.com"
    times = [office.begin + _BEGIN]
    while times[-1] < office.begin + office.seconds - 200.0:
        times.append(times[-1] + 60.0 * (1.0 + 0.1 * float(office.rng.uniform(-1.0, 1.0))))
    for number, time in enumerate(times):
        at = time if number % 60 else office.lookup(time, source, name, "A", [control.address])
        sizes = [(90 + int(office.rng.integers(8)), 48)]
        office.tls(at, source, control, name, sizes, certificate=64, think=0.0).close()
    return _truth("beacon", source, times, "T1071.001", destination=control.address, port=443)


def exfiltration(office: Office) -> list[Truth]:
    """42 MB uploaded in an hour, in ten connections, as seen by the host that sends them.

    A network card cuts segments for its host, so here they are longer than any frame.
    """
    source, target, name = office.people[2], outside(HOSTILE, 77), "drop.fennelbox.net"
    times = _spread(office, 10, office.seconds - 400.0)
    for time in times:
        at = office.resolve(time, source, name, target)
        hello = messages.client_hello(office.rng, name)
        connection = office.connect(at, source, target, 443, segment=30 * SEGMENT).open()
        connection.say(hello, by_client=True)
        connection.say(messages.server_hello(office.rng, hello), by_client=False)
        connection.say(messages.client_finished(office.rng), by_client=True)
        records = [messages.encrypted(office.rng, _RECORD) for _ in range(256)]
        connection.say(b"".join(records), by_client=True, wait=0.2)
        connection.say(messages.encrypted(office.rng, 120), by_client=False, wait=0.05)
        connection.close(wait=0.1)
    return _truth("exfiltration", source, times, "T1048", destination=target.address, port=443)


def lateral_movement(office: Office) -> list[Truth]:
    """One workstation opens SMB, RPC, RDP and WinRM on eight others, one after another."""
    source = office.people[1]
    times = _spread(office, 8, office.seconds - 400.0)
    for time, target in zip(times, [person(number) for number in range(20, 28)], strict=True):
        for delay, call in enumerate((_smb, _rpc, _rdp, _winrm)):
            call(office, time + 4.0 * delay, source, target)
    return _truth("lateral_movement", source, times, "T1021")


def _smb(office: Office, time: float, source: Host, target: Host) -> None:
    connection = office.connect(time, source, target, 445).open()
    # Up to the tree of all administrators, then a file is created there and written.
    for message, command in enumerate((0, 1, 1, 3, 5, 9, 9, 6)):
        asked = 1300 if command == 9 else int(office.rng.integers(60, 200))
        for answer, size in ((False, asked), (True, int(office.rng.integers(60, 160)))):
            said = messages.smb(office.rng, command, size, answer=answer, message=message)
            connection.say(said, by_client=not answer, wait=0.0004)
    connection.close(wait=1.0)


def _rpc(office: Office, time: float, source: Host, target: Host) -> None:
    connection = office.connect(time, source, target, 135).open()
    for answer in (False, True):
        connection.say(messages.rpc_bind(answer=answer), by_client=not answer)
    for answer, size in ((False, 120), (True, 152)):
        said = messages.rpc_call(office.rng, size, answer=answer)
        connection.say(said, by_client=not answer, wait=0.0005)
    connection.close(wait=0.5)


def _rdp(office: Office, time: float, source: Host, target: Host) -> None:
    connection = office.connect(time, source, target, 3389).open()
    connection.say(messages.rdp_request("admin"), by_client=True)
    connection.say(messages.rdp_answer(), by_client=False, wait=0.003)
    hello = messages.client_hello(office.rng, target.address)
    connection.say(hello, by_client=True, wait=0.002)
    connection.say(messages.server_hello(office.rng, hello), by_client=False, wait=0.004)
    for size in (300, 900):
        connection.say(messages.encrypted(office.rng, size), by_client=True, wait=0.1)
        connection.say(messages.encrypted(office.rng, 2 * size), by_client=False, wait=0.05)
    connection.reset(wait=1.0)


def _winrm(office: Office, time: float, source: Host, target: Host) -> None:
    connection = office.connect(time, source, target, 5985).open()
    body = office.rng.bytes(700)
    asked = messages.http_request(
        "POST", target.address, "/wsman", body, agent="Microsoft WinRM Client"
    )
    connection.say(asked, by_client=True)
    kind = "multipart/encrypted"
    answer = messages.http_answer(office.rng.bytes(600), kind)
    connection.say(answer, by_client=False, wait=0.02)
    connection.close(wait=0.3)


def brute_force(office: Office) -> list[Truth]:
    """80 connections to the web server over ssh, three passwords tried on each."""
    rng, source, target = office.rng, office.people[3], office.WEB
    times = _spread(office, 80, 640.0)
    for time in times:
        connection = office.connect(time, source, target, 22).open()
        connection.say(messages.ssh_banner("OpenSSH_9.2p1 Debian-2"), by_client=False, wait=0.02)
        connection.say(messages.ssh_banner("libssh2_1.11.0"), by_client=True, wait=0.001)
        connection.say(messages.ssh_algorithms(rng), by_client=True, wait=0.001)
        connection.say(messages.ssh_algorithms(rng), by_client=False, wait=0.001)
        # The exchange of keys, both sides' switch to them, then what is encrypted.
        connection.say(messages.ssh_packet(rng, 30, rng.bytes(36)), by_client=True, wait=0.002)
        reply = messages.ssh_packet(rng, 31, rng.bytes(180)) + messages.ssh_packet(rng, 21, b"")
        connection.say(reply, by_client=False, wait=0.004)
        switch = messages.ssh_packet(rng, 21, b"") + rng.bytes(64)
        connection.say(switch, by_client=True, wait=0.001)
        connection.say(rng.bytes(64), by_client=False, wait=0.001)
        for _ in range(3):
            size = 96 + 16 * int(rng.integers(0, 3))
            connection.say(rng.bytes(size), by_client=True, wait=0.02)
            connection.say(rng.bytes(80), by_client=False, wait=float(rng.normal(0.7, 0.05)))
        connection.close(wait=0.01)
    return _truth("brute_force", source, times, "T1110.001", destination=target.address, port=22)
