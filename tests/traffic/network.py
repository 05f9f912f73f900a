"""The office: its hosts, its servers, and the outside it talks to."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from tests.traffic import names
from tests.traffic.records import UNSET, Addresses, Answers, Array, Vocabulary
from tests.traffic.schedule import DAY, HOUR, Window, is_weekend

LOCAL_NETWORKS = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7", "fe80::/10")
"""What a sensor counts as local by default: private address space."""
SERVERS = {
    "gateway": 1,
    "resolver": 2,
    "directory": 10,
    "files": 11,
    "mail": 12,
    "monitor": 13,
    "web": 14,
    "backup": 15,
    "printer1": 20,
    "printer2": 21,
}
"""The last byte of each server's address in 10.20.0.0/24."""
_OUTSIDE_FIRST = np.array(
    [5, 13, 18, 23, 31, 34, 45, 52, 62, 77, 81, 93, 104, 128, 142, 151, 162, 185, 193, 209]
)


@dataclass
class NamedServers:
    """Outside servers with a name, as parallel arrays once frozen by `arrays`."""

    name: list[int] = field(default_factory=list)
    ipv4: list[tuple[int, int]] = field(default_factory=list)
    ipv6: list[int] = field(default_factory=list)
    a_answers: list[int] = field(default_factory=list)
    aaaa_answers: list[int] = field(default_factory=list)
    ttl: list[float] = field(default_factory=list)
    dead: list[bool] = field(default_factory=list)
    quic: list[bool] = field(default_factory=list)
    _arrays: dict[str, Array] = field(default_factory=dict)

    def arrays(self) -> dict[str, Array]:
        """Every column as an array indexed by server number."""
        if len(self._arrays.get("name", ())) != len(self.name):
            columns = ("name", "ipv4", "ipv6", "a_answers", "aaaa_answers", "ttl", "dead", "quic")
            self._arrays = {column: np.array(getattr(self, column)) for column in columns}
        return self._arrays


class Network:
    """Hosts by number (servers first, then users), with their properties as arrays."""

    ANSWER_VARIANTS = 4
    """Answer sections per named server, with TTLs as they run down in the resolver's cache."""

    def __init__(self, rng: np.random.Generator, window: Window, hosts: int, scale: float) -> None:
        if hosts < len(SERVERS) + 6:
            raise ValueError(f"an office needs at least {len(SERVERS) + 6} hosts, not {hosts}")
        if hosts > 57000:
            raise ValueError(f"10.20.0.0/16 has no room for {hosts} hosts")
        self.window = window
        self.scale = scale
        self.texts = Vocabulary()
        self.addresses = Addresses(LOCAL_NETWORKS)
        self.answers = Answers()
        self.servers = NamedServers()

        users = hosts - len(SERVERS)
        numbers = np.arange(users)
        texts = [f"10.20.0.{last}" for last in SERVERS.values()]
        texts += [f"10.20.{1 + number // 240}.{10 + number % 240}" for number in numbers.tolist()]
        self.ipv4 = self.addresses.codes(texts)
        dual = rng.random(hosts) < 0.4
        dual[list(SERVERS).index("web")] = True
        ipv6 = [
            self.addresses.code(f"fd00:20:0:1::{1 + host:x}") if is_dual else UNSET
            for host, is_dual in enumerate(dual)
        ]
        self.ipv6 = np.array(ipv6, dtype="i4")
        self.hosts = np.arange(hosts)
        self.users = self.hosts[len(SERVERS) :]
        self.failure_rate = rng.uniform(0.02, 0.04, hosts)
        self.shift = rng.normal(0.0, 0.7, hosts)
        self.asks_aaaa = dual | (rng.random(hosts) < 0.3)
        self.asks_https = rng.random(hosts) < 0.35
        self.always_on = (self.hosts < len(SERVERS)) | (rng.random(hosts) < 0.25)
        self.power_on = rng.normal(7.8, 0.6, hosts)
        self.power_off = rng.normal(17.8, 0.8, hosts)
        self.outside_resolver = self.addresses.code(self.outside_address(rng))
        resolver = np.full(hosts, self.server("resolver"))
        resolver[self.users[rng.random(users) < 0.05]] = self.outside_resolver
        self.resolver = resolver

    def server(self, role: str) -> int:
        """The IPv4 address code of the server in `role`."""
        return int(self.ipv4[list(SERVERS).index(role)])

    def user(self, number: int) -> int:
        """The host number of the user `number`, counted round."""
        return int(self.users[number % len(self.users)])

    def awake(self, host: Array, ts: Array) -> Array:
        """Whether each host is switched on at each time."""
        hour = ts % DAY / HOUR
        at_work = (hour > self.power_on[host]) & (hour < self.power_off[host]) & ~is_weekend(ts)
        awake: Array = self.always_on[host] | at_work
        return awake

    def outside_address(self, rng: np.random.Generator) -> str:
        """A random public IPv4 address."""
        parts = rng.integers(1, 255, 3)
        return f"{rng.choice(_OUTSIDE_FIRST)}.{parts[0]}.{parts[1]}.{parts[2]}"

    def outside_addresses(self, rng: np.random.Generator, count: int) -> Array:
        """Codes of `count` random public IPv4 addresses."""
        first = rng.choice(_OUTSIDE_FIRST, count)
        rest = rng.integers(1, 255, (count, 3))
        return self.addresses.codes(
            f"{a}.{b}.{c}.{d}" for a, (b, c, d) in zip(first, rest.tolist(), strict=True)
        )

    def add_server(
        self,
        rng: np.random.Generator,
        name: str,
        *,
        alias: str | None = None,
        ttl: float = 300.0,
        ipv6: bool = False,
        dead: bool = False,
        quic: bool = False,
        address: str | None = None,
    ) -> int:
        """The number of a new outside server; `alias` is the name its CNAME leads to."""
        four = (
            (address, address)
            if address
            else (self.outside_address(rng), self.outside_address(rng))
        )
        block, high, low, last = rng.integers(1, (9, 65535, 65535, 999)).tolist()
        six = f"2a0{block}:{high:x}:{low:x}::{last:x}"
        chain, chain_bytes = ((alias,), 12 + len(alias) + 2) if alias else ((), 0)
        distinct = tuple(dict.fromkeys(four))
        a_base = len(self.answers.texts)
        for part in (1.0, 0.71, 0.4, 0.13):
            left = max(round(ttl * part), 1)
            self.answers.add(
                (*chain, *distinct),
                (float(left),) * len((*chain, *distinct)),
                chain_bytes + 16 * len(distinct),
            )
        aaaa_base = len(self.answers.texts) if ipv6 or chain else UNSET
        if aaaa_base >= 0:
            answer = (*chain, six) if ipv6 else chain
            for part in (1.0, 0.71, 0.4, 0.13):
                left = max(round(ttl * part), 1)
                self.answers.add(
                    answer, (float(left),) * len(answer), chain_bytes + (28 if ipv6 else 0)
                )
        table = self.servers
        table.name.append(self.texts.code(name))
        table.ipv4.append((self.addresses.code(four[0]), self.addresses.code(four[1])))
        table.ipv6.append(self.addresses.code(six) if ipv6 else UNSET)
        table.a_answers.append(a_base)
        table.aaaa_answers.append(aaaa_base)
        table.ttl.append(ttl)
        table.dead.append(dead)
        table.quic.append(quic)
        return len(table.name) - 1

    def local_name(self, role: str) -> str:
        """The full name of a server of the office."""
        return f"{role}.{names.LOCAL_DOMAIN}"
