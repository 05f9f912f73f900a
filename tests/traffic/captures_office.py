"""A small office on the wire: its people, its servers, and what they do on any day."""

from __future__ import annotations

import zlib
from collections.abc import Sequence

import numpy as np
from scapy.layers.dns import DNS, DNSQR, DNSRR, DNSRRSOA, dns_compress

from tests.traffic import captures_messages as messages
from tests.traffic import names
from tests.traffic.captures_tcp import LOCAL, Connection, Path
from tests.traffic.captures_wire import Host, Wire

NOERROR, NXDOMAIN = 0, 3
UNOWNED = ("192.88.99", "192.31.196", "192.175.48")
"""Where outside hosts are: blocks of special purpose (RFC 7526, 7535, 7534) that hold nobody's
hosts. Those for documentation would not do, as Zeek takes them for private space."""
HOSTILE = "192.52.193"
"""Where attackers are: likewise (RFC 7450)."""

_RESOLVER_CACHE = 0.6
_MULTICAST_DNS, _GROUP = 5353, Host("224.0.0.251")


def person(number: int) -> Host:
    """The workstation of the office's user `number`."""
    return Host(f"10.20.1.{10 + number}", time_to_live=128)


def outside(network: str, number: int) -> Host:
    """A host outside, some routers away."""
    return Host(f"{network}.{number}", hops=9 + number % 7)


class Office:
    """People and servers of one capture, and its random stream.

    Args:
        name: of the capture; everything drawn follows from it.
        begin: when the capture begins, in seconds since the epoch.
        seconds: how long it takes.
        people: how many users there are.
    """

    GATEWAY = Host("10.20.0.1")
    RESOLVER = Host("10.20.0.2")
    DIRECTORY = Host("10.20.0.10", time_to_live=128)
    FILES = Host("10.20.0.11", time_to_live=128)
    MAIL = Host("10.20.0.13")
    WEB = Host("10.20.0.14")
    WEB_IPV6 = Host("fd00:20:0:1::14")

    def __init__(self, name: str, begin: float, seconds: float, people: int = 5) -> None:
        self.rng = np.random.Generator(np.random.PCG64(zlib.crc32(name.encode())))
        self.wire = Wire()
        self.begin = begin
        self.seconds = seconds
        self.people = [person(number) for number in range(people)]
        self.sites = [
            (domain, outside(UNOWNED[number % 3], int(self.rng.integers(1, 255))))
            for number, domain in enumerate(names.site_domains(self.rng, 24))
        ]
        self._known: dict[tuple[str, str], float] = {}

    def times(self, count: int) -> list[float]:
        """`count` times within the capture, in order, none in its last minute."""
        share = np.sort(self.rng.random(count))
        return [self.begin + float(part) * (self.seconds - 60.0) for part in share]

    def path(self, server: Host) -> Path:
        """The way to a server: some milliseconds, and a loss now and then."""
        if not server.hops:
            return LOCAL
        return Path(0.004 + 0.003 * server.hops * (0.8 + 0.4 * float(self.rng.random())), 0.02)

    def connect(
        self, time: float, client: Host, server: Host, port: int, *, segment: int = 1460
    ) -> Connection:
        """A connection that is not open yet."""
        path = self.path(server)
        return Connection(
            self.wire, self.rng, time, client, server, port=port, path=path, segment=segment
        )

    def lookup(
        self,
        time: float,
        client: Host,
        name: str,
        kind: str = "A",
        answers: Sequence[str | bytes] = (),
        *,
        rcode: int = NOERROR,
        ttl: int = 300,
        authority: str = "",
    ) -> float:
        """Ask the office's resolver for `name`; `authority` is the zone of a negative answer.

        Returns:
            When the answer was there.
        """
        identifier = int(self.rng.integers(0, 65536))
        port = int(self.rng.integers(49152, 65536))
        question = DNSQR(qname=name, qtype=kind, qclass=1)
        records = [
            DNSRR(rrname=name, type=kind, rclass=1, ttl=ttl, rdata=answer) for answer in answers
        ]
        zone = [
            DNSRRSOA(
                rrname=authority,
                ttl=900,
                mname=f"ns1.{authority}",
                rname=f"hostmaster.{authority}",
                serial=2026011901,
                refresh=1800,
                retry=900,
                expire=604800,
                minimum=900,
            )
        ]
        asked = DNS(id=identifier, rd=1, qd=[question], an=[], ns=[], ar=[])
        given = DNS(
            id=identifier,
            qr=1,
            rd=1,
            ra=1,
            rcode=rcode,
            qd=[question],
            an=records,
            ns=zone if authority else [],
            ar=[],
        )
        wait = 0.0004 * (1 + float(self.rng.random()))
        if self.rng.random() > _RESOLVER_CACHE:
            wait += float(self.rng.gamma(2.0, 0.012))
        self.wire.udp(time, client, self.RESOLVER, (port, 53), bytes(asked))
        answered = bytes(dns_compress(given))  # type: ignore[no-untyped-call]
        self.wire.udp(time + wait, self.RESOLVER, client, (53, port), answered)
        return time + wait + 0.0001

    def resolve(self, time: float, client: Host, name: str, server: Host) -> float:
        """Look up where `name` is, unless the client has done so within five minutes.

        Returns:
            When the client knows.
        """
        if self._known.get((client.address, name), 0.0) > time:
            return time
        self._known[client.address, name] = time + 300.0
        if self.rng.random() < 0.4:
            zone = zone_of(name)
            self.lookup(time + 0.0002, client, name, "AAAA", authority=zone)
        return self.lookup(time, client, name, "A", [server.address])

    def tls(
        self,
        time: float,
        client: Host,
        server: Host,
        name: str,
        sizes: Sequence[tuple[int, int]],
        *,
        port: int = 443,
        certificate: int = 900,
        think: float = 0.4,
    ) -> Connection:
        """A TLS connection on which requests and answers of `sizes` bytes are exchanged."""
        rng = self.rng
        hello = messages.client_hello(rng, name)
        connection = self.connect(time, client, server, port).open()
        connection.say(hello, by_client=True, wait=0.0006)
        connection.say(messages.server_hello(rng, hello, certificate), by_client=False, wait=0.001)
        first = messages.client_finished(rng)
        for request, answer in sizes:
            asked = first + messages.encrypted(rng, request)
            connection.say(asked, by_client=True, wait=0.001 + think * float(rng.random()))
            sent = messages.encrypted(rng, answer)
            connection.say(sent, by_client=False, wait=float(rng.gamma(2.0, 0.01)))
            first = b""
        return connection

    def http(
        self,
        time: float,
        client: Host,
        server: Host,
        host: str,
        *,
        target: str,
        body: bytes,
        kind: str = "text/html",
        agent: str = "Mozilla/5.0",
    ) -> float:
        """One request and its answer on a connection of their own."""
        connection = self.connect(time, client, server, 80).open()
        request = messages.http_request("GET", host, target, agent=agent)
        connection.say(request, by_client=True, wait=0.0004)
        answer = messages.http_answer(body, kind)
        connection.say(answer, by_client=False, wait=float(self.rng.gamma(2.0, 0.008)))
        return connection.close(by_client=bool(self.rng.random() < 0.5), wait=0.01)


def zone_of(name: str) -> str:
    """The zone that denies what a name does not have: all but its first label."""
    return name.partition(".")[2]
