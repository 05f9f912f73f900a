"""What people and their machines do in the office while the sensor captures."""

from __future__ import annotations

from tests.traffic import captures_messages as messages
from tests.traffic.captures_office import UNOWNED, Office, outside
from tests.traffic.captures_wire import Host
from tests.traffic.names import LOCAL_DOMAIN

_CLOCK = outside(UNOWNED[0], 123)
_CLOCK_INTERVAL = 1024.0
_AUTHORITY = ("ocsp.tidalforge.net", outside(UNOWNED[1], 80))


def office_work(office: Office, *, visits: int, errands: int) -> None:
    """Everyday traffic: `visits` to web sites, and `errands` to servers of the office."""
    _neighbours(office)
    _clocks(office)
    for time in office.times(visits):
        _visit(office, time, _someone(office))
    for number, time in enumerate(office.times(errands)):
        errand = (_mail, _files, _intranet, _certificates)[number % 4]
        errand(office, time, _someone(office))


def _someone(office: Office) -> Host:
    return office.people[int(office.rng.integers(len(office.people)))]


def _neighbours(office: Office) -> None:
    for host in office.people:
        at = office.begin + 5.0 * float(office.rng.random())
        office.wire.arp(at, host, office.GATEWAY, 0.0003)
        office.wire.arp(at + 0.2, host, office.RESOLVER, 0.0002)


def _clocks(office: Office) -> None:
    for host in office.people:
        time = office.begin + _CLOCK_INTERVAL * float(office.rng.random())
        while time < office.begin + office.seconds - 60.0:
            wait = office.path(_CLOCK).round_trip
            office.wire.udp(time, host, _CLOCK, (123, 123), messages.ntp(3, time))
            office.wire.udp(time + wait, _CLOCK, host, (123, 123), messages.ntp(4, time + wait / 2))
            time += _CLOCK_INTERVAL * (1.0 + 0.02 * float(office.rng.random()))


def _visit(office: Office, time: float, client: Host) -> None:
    """A page: its site, and often another that serves parts of it."""
    rng = office.rng
    # Some sites are visited far more often than others.
    favourite = min(int(rng.pareto(0.7) * 2), len(office.sites) - 1)
    domain, server = office.sites[favourite]
    at = office.resolve(time, client, f"www.{domain}", server)
    sizes = [
        (int(rng.integers(150, 500)), int(rng.integers(300, 2500)))
        for _ in range(int(rng.integers(1, 4)))
    ]
    page = office.tls(at, client, server, f"www.{domain}", sizes)
    if rng.random() < 0.6:
        domain, server = office.sites[-1 - int(rng.integers(4))]
        at = office.resolve(at + 0.15, client, f"cdn.{domain}", server)
        parts = office.tls(
            at, client, server, f"cdn.{domain}", [(180, int(rng.integers(900, 6000)))]
        )
        if rng.random() < 0.8:
            parts.close(wait=5.0 + 10.0 * float(rng.random()))
        else:
            parts.reset(wait=20.0)
    page.close(by_client=bool(rng.random() < 0.7), wait=2.0 + 20.0 * float(rng.random()))


def _mail(office: Office, time: float, client: Host) -> None:
    name = f"mail.{LOCAL_DOMAIN}"
    at = office.resolve(time, client, name, office.MAIL)
    sizes = [(60, 120), (80, int(office.rng.integers(200, 3000))), (30, 60)]
    office.tls(at, client, office.MAIL, name, sizes, port=993, think=0.05).close()


def _files(office: Office, time: float, client: Host) -> None:
    rng = office.rng
    at = office.resolve(time, client, f"files.{LOCAL_DOMAIN}", office.FILES)
    connection = office.connect(at, client, office.FILES, 445).open()
    # Negotiate, set a session up twice (NTLM), connect a tree, create, read, close.
    for message, command in enumerate((0, 1, 1, 3, 5, 8, 6)):
        asked, given = int(rng.integers(60, 200)), int(rng.integers(60, 250))
        if command == 8:
            given = int(rng.integers(500, 4000))
        connection.say(
            messages.smb(rng, command, asked, answer=False, message=message), by_client=True
        )
        connection.say(
            messages.smb(rng, command, given, answer=True, message=message),
            by_client=False,
            wait=0.0005,
        )
    connection.close(wait=10.0 * float(rng.random()))


def _intranet(office: Office, time: float, client: Host) -> None:
    """The office's own web server, by IPv6."""
    name = f"web.{LOCAL_DOMAIN}"
    at = office.lookup(time, client, name, "AAAA", [office.WEB_IPV6.address])
    host = Host(f"fd00:20:0:1::{client.address.rpartition('.')[2]}", time_to_live=128)
    body = messages.page(office.rng, int(office.rng.integers(300, 1500)))
    office.http(at, host, office.WEB_IPV6, name, target="/", body=body)


def _certificates(office: Office, time: float, client: Host) -> None:
    """Whether a certificate still counts, asked of who issued it."""
    name, server = _AUTHORITY
    at = office.resolve(time, client, name, server)
    target = "/" + office.rng.bytes(24).hex()
    body = office.rng.bytes(471)
    office.http(
        at,
        client,
        server,
        name,
        target=target,
        body=body,
        kind="application/ocsp-response",
        agent="Microsoft-CryptoAPI/10.0",
    )
