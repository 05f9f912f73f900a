"""What an office shares: mail, files, the directory, printers, and the local broadcast chatter."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tests.traffic import names
from tests.traffic.records import UNSET, Array, Outcome
from tests.traffic.resolution import AAAA, MX, NB, NXDOMAIN, PTR, A, address_answer, resolve
from tests.traffic.schedule import diurnal, periodic

if TYPE_CHECKING:
    from tests.traffic.recorder import Recorder


def mail(recorder: Recorder) -> None:
    """The mail server's SMTP out (some exchangers dead) and in, and users' IMAP."""
    network, rng = recorder.network, recorder.rng
    keeper = int(np.flatnonzero(network.ipv4 == network.server("mail"))[0])
    users = len(network.users) * network.scale
    domains = names.site_domains(rng, 60)
    exchangers = np.array(
        [
            network.add_server(rng, f"mx{k % 2 + 1}.{name}", ttl=1800.0, dead=k % 10 == 0)
            for k, name in enumerate(domains)
        ]
    )
    routes = np.array(
        [
            network.answers.add((f"mx{k % 2 + 1}.{name}",), (1800.0,), 20)
            for k, name in enumerate(domains)
        ]
    )
    _, ts = diurnal(rng, network.window, np.array([users * 8.0]))
    to = rng.integers(0, len(domains), len(ts))
    recorder.lookup(
        ts - 0.2,
        network.ipv4[keeper],
        network.server("resolver"),
        network.texts.codes(domains)[to],
        MX,
        answers=routes[to],
    )
    _, resp = resolve(recorder, np.full(len(ts), keeper), exchangers[to], ts)
    dead = network.servers.arrays()["dead"][exchangers[to]]
    recorder.tcp(
        ts,
        network.ipv4[keeper],
        resp,
        25,
        service="smtp",
        server_first=True,
        duration=rng.lognormal(0.6, 0.7, len(ts)),
        orig_bytes=rng.lognormal(10.0, 1.5, len(ts)).astype("i8") + 900,
        resp_bytes=rng.integers(400, 900, len(ts)),
        outcome=np.where(dead, Outcome.NO_ANSWER, Outcome.CLOSED),
        attempts=3,
    )
    _, ts = periodic(rng, network.window, np.array([86400.0 / max(users * 14.0, 1.0)]), jitter=0.8)
    senders = network.outside_addresses(rng, 200)[rng.integers(0, 200, len(ts))]
    recorder.tcp(
        ts,
        senders,
        network.server("mail"),
        25,
        service="smtp",
        server_first=True,
        duration=rng.lognormal(0.8, 0.7, len(ts)),
        orig_bytes=rng.lognormal(9.8, 1.5, len(ts)).astype("i8") + 900,
        resp_bytes=rng.integers(300, 700, len(ts)),
        outcome=np.where(rng.random(len(ts)) < 0.1, Outcome.RESPONDER_RESET, Outcome.CLOSED),
    )
    number, ts = diurnal(rng, network.window, np.full(len(network.users), 45.0 * network.scale))
    recorder.tcp(
        ts,
        network.ipv4[network.users[number]],
        network.server("mail"),
        993,
        service="ssl",
        duration=rng.lognormal(3.0, 1.2, len(ts)),
        orig_bytes=rng.integers(900, 4000, len(ts)),
        resp_bytes=rng.lognormal(9.0, 1.6, len(ts)).astype("i8") + 2000,
        server_name=network.texts.code(network.local_name("mail")),
    )


def files_and_directory(recorder: Recorder) -> None:
    """Users' file server sessions, each after Kerberos and LDAP with the directory server."""
    network, rng = recorder.network, recorder.rng
    directory = network.server("directory")
    number, ts = diurnal(rng, network.window, np.full(len(network.users), 16.0 * network.scale))
    host = network.users[number]
    orig = network.ipv4[host]
    _local_lookup(recorder, host, ts - 0.05, "directory", directory)
    rows = len(ts)
    recorder.tcp(
        ts,
        orig,
        directory,
        88,
        service="krb_tcp",
        duration=0.004,
        orig_bytes=1700,
        resp_bytes=rng.integers(1500, 1900, rows),
    )
    recorder.tcp(
        ts + 0.02,
        orig,
        directory,
        389,
        service="ldap_tcp",
        duration=rng.lognormal(-2.0, 0.6, rows),
        orig_bytes=rng.integers(2000, 3000, rows),
        resp_bytes=rng.integers(2500, 9000, rows),
    )
    recorder.tcp(
        ts + 0.1,
        orig,
        network.server("files"),
        445,
        service="gssapi,smb",
        duration=rng.lognormal(4.5, 1.5, rows),
        orig_bytes=rng.lognormal(10.5, 2.0, rows).astype("i8") + 4000,
        resp_bytes=rng.lognormal(12.0, 2.2, rows).astype("i8") + 4000,
        outcome=np.where(rng.random(rows) < 0.3, Outcome.ORIGINATOR_RESET, Outcome.CLOSED),
    )


def _local_lookup(recorder: Recorder, host: Array, ts: Array, role: str, address: int) -> None:
    network = recorder.network
    answer = address_answer(network, network.addresses.texts[address])
    recorder.lookup(
        ts,
        network.ipv4[host],
        network.server("resolver"),
        network.texts.code(network.local_name(role)),
        A,
        answers=answer,
        authoritative=True,
    )


def printing(recorder: Recorder) -> None:
    """Print jobs of some megabytes to two printers' raw port."""
    network, rng = recorder.network, recorder.rng
    number, ts = diurnal(rng, network.window, np.full(len(network.users), 3.0 * network.scale))
    printers = np.array([network.server("printer1"), network.server("printer2")])
    size = rng.lognormal(13.0, 1.2, len(ts)).astype("i8")
    recorder.tcp(
        ts,
        network.ipv4[network.users[number]],
        printers[number % 2],
        9100,
        duration=size / 4e5 + 1.0,
        orig_bytes=size,
        resp_bytes=rng.integers(0, 300, len(ts)),
    )


def leases(recorder: Recorder) -> None:
    """DHCP: a broadcast when a workstation comes up, and renewals with the gateway."""
    network, rng = recorder.network, recorder.rng
    number, ts = periodic(rng, network.window, np.full(len(network.users), 14400.0), jitter=0.02)
    host = network.users[number]
    awake = network.awake(host, ts)
    recorder.udp(
        ts[awake],
        network.ipv4[host[awake]],
        network.server("gateway"),
        67,
        service="dhcp",
        orig_bytes=300,
        resp_bytes=300,
        orig_p=68,
    )
    broadcast = network.addresses.codes(["0.0.0.0", "255.255.255.255"])  # noqa: S104
    for midnight in network.window.midnights().tolist():
        begin = midnight + network.power_on[network.users] * 3600.0
        up = (
            (begin < network.window.end)
            & network.awake(network.users, begin + 1.0)
            & ~network.always_on[network.users]
        )
        recorder.udp(
            begin[up],
            broadcast[0],
            broadcast[1],
            67,
            service="dhcp",
            orig_bytes=640,
            orig_pkts=2,
            duration=0.02,
            orig_p=68,
        )


def neighbours(recorder: Recorder) -> None:
    """mDNS, LLMNR, NetBIOS names and SSDP: multicast and broadcast nobody answers in the log."""
    network, rng = recorder.network, recorder.rng
    groups = network.addresses.codes(
        ["224.0.0.251", "224.0.0.252", "10.20.255.255", "239.255.255.250", "ff02::fb"]
    )
    text = network.texts
    mdns = text.codes(
        ["_ipp._tcp.local", "_googlecast._tcp.local", "_airplay._tcp.local", "_smb._tcp.local"]
    )
    single = text.codes(["wpad", "printsrv", "intranet"])
    netbios = text.codes(["WPAD", "LARKFIELD", "PRINTSRV"])
    number, ts = periodic(
        rng, network.window, rng.uniform(900, 2400, len(network.users)), jitter=0.3
    )
    host = network.users[number]
    awake = network.awake(host, ts)
    host, ts = host[awake], ts[awake]
    ipv4 = network.ipv4[host]
    pick = rng.integers(0, 12, len(ts))
    recorder.lookup(
        ts,
        ipv4,
        groups[0],
        mdns[pick % 4],
        PTR,
        rcode=UNSET,
        recursion_desired=False,
        port=5353,
        orig_p=5353,
    )
    six = network.ipv6[host] >= 0
    recorder.lookup(
        ts[six] + 0.0001,
        network.ipv6[host[six]],
        groups[4],
        mdns[pick[six] % 4],
        PTR,
        rcode=UNSET,
        recursion_desired=False,
        port=5353,
        orig_p=5353,
    )
    some = pick < 4
    for qtype in (A, AAAA):
        recorder.lookup(
            ts[some] + 3.0,
            ipv4[some],
            groups[1],
            single[pick[some] % 3],
            qtype,
            rcode=UNSET,
            recursion_desired=False,
            port=5355,
        )
    recorder.lookup(
        ts[some] + 3.4,
        ipv4[some],
        groups[2],
        netbios[pick[some] % 3],
        NB,
        rcode=UNSET,
        port=137,
        orig_p=137,
    )
    seeks = pick >= 8
    recorder.udp(
        ts[seeks] + 9.0,
        ipv4[seeks],
        groups[3],
        1900,
        orig_bytes=4 * 175,
        orig_pkts=4,
        duration=3.0 + rng.random(int(seeks.sum())),
    )
    # A workstation that finds no proxy asks the resolver for one under the search suffix.
    recorder.lookup(
        ts[some] + 1.0,
        ipv4[some],
        network.server("resolver"),
        text.code(f"wpad.{names.LOCAL_DOMAIN}"),
        A,
        rcode=NXDOMAIN,
    )
