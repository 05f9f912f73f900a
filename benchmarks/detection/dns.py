"""How much of tunnels and other oddities in DNS is found, and how many honest domains are.

    python -m benchmarks.detection.dns [--seeds N] [--data PATH ...]

Tunnels are simulated by encoder, among ordinary names, with retries and A/AAAA pairs; honest names
come from generated offices and from the logs or captures given with ``--data``, which must hold
nothing else. Beside each figure stands what RITA's levels of unique subdomains (100, 500, 800,
1000) and the rule "entropy of the names > 3.5" reach on the same traffic.
"""

from __future__ import annotations

import argparse
import base64
import math
import tempfile
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np

import analyzer
from analyzer.detectors import DETECTORS, Shared
from analyzer.engine import Engine
from analyzer.features import asked_names, dns_questions
from analyzer.findings import Severity
from analyzer.networks import parse_networks
from analyzer.parsers.reading import read
from analyzer.public_suffix import domain_of
from analyzer.records import Records
from benchmarks.detection.figures import Figure, table
from tests.test_detectors import DAY, Row, holding, lookup
from tests.traffic import office

HOUR = 3600.0
TUNNELS = 60
"""Tunnels of each encoder and seed."""

_LEVELS = (100, 500, 800, 1000)
_ENTROPY = 3.5
_RETRIED = 0.03
_TYPES = ("NULL", "TXT", "CNAME", "MX", "SRV", "A", "AAAA")
_WORDS = tuple(
    f"{a}{b}"
    for a in "bcdfghjklmnprstv"
    for b in ("a", "e", "i", "o", "u", "an", "er", "in", "on", "al", "es", "ar")
)

Encoder = Callable[[np.random.Generator, int, int], str]
"""From a generator, the number of the query and the octets to carry to the name's front."""


def _labels(text: str, length: int) -> str:
    return ".".join(text[k : k + length] for k in range(0, len(text), length))


def _b32(octets: bytes) -> str:
    return base64.b32encode(octets).decode().rstrip("=").lower()


def iodine(rng: np.random.Generator, number: int, octets: int) -> str:
    """Names of iodine in base32: user, sequence and fragment, cache-defeating characters, data."""
    digits = "abcdefghijklmnopqrstuvwxyz012345"
    header = f"1{digits[number % 8 * 4]}{digits[number % 16]}{digits[number // 3 % 32]}"
    return _labels(header + _b32(rng.bytes(octets)), 57)


def dnscat2(rng: np.random.Generator, number: int, octets: int) -> str:
    """Names of dnscat2: packet and session ids, kind, two counters, data, in hexadecimal."""
    header = f"{rng.bytes(2).hex()}01{'5f3c'}{octets * number % 65536:04x}{97 * number % 65536:04x}"
    return _labels(header + rng.bytes(octets).hex(), 60)


def bare_base32(rng: np.random.Generator, _: int, octets: int) -> str:
    """Data alone in base32, in labels of 31."""
    return _labels(_b32(rng.bytes(octets)), 31)


def bare_hex(rng: np.random.Generator, _: int, octets: int) -> str:
    """Data alone in hexadecimal, in labels of 32."""
    return _labels(rng.bytes(octets).hex(), 32)


def base64url(rng: np.random.Generator, _: int, octets: int) -> str:
    """Data alone in base64, as a log of lower-case names keeps it."""
    return _labels(base64.urlsafe_b64encode(rng.bytes(octets)).decode().rstrip("=").lower(), 63)


def numbered(rng: np.random.Generator, number: int, octets: int) -> str:
    """A file sent in pieces: number of the piece, data in base32, name of the file."""
    return f"{number:05d}.{_labels(_b32(rng.bytes(octets)), 50)}.report.d"


def words(rng: np.random.Generator, _: int, octets: int) -> str:
    """An octet and a half a word, out of a list of 192 words, three words a label."""
    chosen = [_WORDS[k] for k in rng.integers(0, len(_WORDS), max(octets, 1))]
    return ".".join("".join(chosen[k : k + 3]) for k in range(0, len(chosen), 3))


ENCODERS: dict[str, tuple[Encoder, int]] = {
    "iodine": (iodine, 120),
    "dnscat2": (dnscat2, 90),
    "base32 alone": (bare_base32, 100),
    "hexadecimal alone": (bare_hex, 80),
    "base64 alone": (base64url, 120),
    "numbered pieces": (numbered, 100),
    "words": (words, 30),
}
"""Each encoder with the most octets that it puts into a name."""


def tunnel(
    rng: np.random.Generator, source: str, domain: str, encoder: str, *, size: int, spread: float
) -> list[Row]:
    """The questions of one tunnel that carries so many octets within so many seconds."""
    encode, most = ENCODERS[encoder]
    octets = int(np.exp(rng.uniform(math.log(8), math.log(most))))
    count = -(-size // octets)
    qtype = str(rng.choice(_TYPES))
    begin = rng.uniform(0, DAY - spread)
    rows = []
    for number, second in enumerate(begin + np.sort(rng.uniform(0, spread, count))):
        name = f"{encode(rng, number, octets)}.{domain}"
        asked = ("A", "AAAA") if qtype == "A" else (qtype,)
        retries = 1 + int(rng.random() < _RETRIED)
        rows += [
            lookup(float(second) + 2.0 * retry, source, name, qtype_name=kind)
            for retry in range(retries)
            for kind in asked
        ]
    return rows


def browsing(rng: np.random.Generator, source: str, names: int = 40) -> list[Row]:
    """Ordinary names over the day, answered."""
    return [
        lookup(float(second), source, f"{rng.choice(['www', 'api', 'img3'])}.{word}.org",
               answers=["198.51.100.7"])
        for second, word in zip(
            rng.uniform(0, DAY, names), rng.choice(_WORDS, names).tolist(), strict=True
        )
    ]  # fmt: skip


def found(records: Records, rules: str = "dns_tunnel") -> dict[tuple[str, str, str], float]:
    """What rules find at low or above: rule, source and subject, with the highest score."""
    shared = Shared()
    best: dict[tuple[str, str, str], float] = {}
    for rule in analyzer.load_rules():
        if not rule.id.startswith(rules):
            continue
        for each in DETECTORS[rule.detector].find(records, rule.parameters, shared):
            if each.score >= Severity.LOW.bound:
                key = (rule.id, each.source, each.subject)
                best[key] = max(best.get(key, 0.0), each.score)
    return best


def plain_rules(names: Iterable[tuple[str, str]]) -> dict[str, set[tuple[str, str]]]:
    """Which sources and domains the peers' rules name, of sources and the names they asked."""
    below: dict[tuple[str, str], set[str]] = defaultdict(set)
    for source, name in names:
        domain = domain_of(name)
        if domain is not None and domain != name:
            below[source, domain].add(name)
    rules = {
        f"{level} unique subdomains (RITA)": {k for k, v in below.items() if len(v) >= level}
        for level in _LEVELS
    }
    rules["mean entropy of the names > 3.5"] = {
        key for key, asked in below.items() if np.mean([entropy(n) for n in asked]) > _ENTROPY
    }
    rules["all"] = set(below)
    return rules


def entropy(text: str) -> float:
    """Shannon's, of the characters of a text, in bits."""
    return sum(n / len(text) * math.log2(len(text) / n) for n in Counter(text).values())


def reach(seeds: int, encoder: str, *, size: int, spread: float, goal: float | None) -> Figure:
    """The share of tunnels of an encoder that is found."""
    tunnels, hits, peers = 0, 0, Counter[str]()
    for seed in range(seeds):
        rng = np.random.default_rng([seed, size, sum(encoder.encode())])
        rows: list[Row] = []
        truth = set()
        for number in range(TUNNELS):
            source = f"10.7.{number // 250}.{number % 250 + 1}"
            domain = f"relay{number}{rng.choice(['.net', '.io', '.co.uk', '.xyz'])}"
            truth.add((source, domain))
            at = rng.choice(["", "t.", "ns1.dl."])
            rows += tunnel(rng, source, f"{at}{domain}", encoder, size=size, spread=spread)
            rows += browsing(rng, source)
        with holding(dns=rows) as records:
            named = {(source, subject) for _, source, subject in found(records)}
        tunnels += len(truth)
        hits += len(named & truth)
        for name, pairs in plain_rules((row["orig_h"], row["query"]) for row in rows).items():
            peers[name] += len(pairs & truth)
    del peers["all"]
    return Figure(
        name=f"{encoder}: {size:,} B within {spread / HOUR:g} h",
        goal=goal,
        reached=hits / tunnels,
        peers={name: count / tunnels for name, count in peers.items()},
    )


@contextmanager
def reading(path: Path) -> Iterator[Records]:
    """The records of logs or captures."""
    with Engine() as engine:
        read([path], engine)
        yield engine.records(parse_networks([]))


def false_domains(paths: Sequence[Path]) -> tuple[int, int, Counter[str]]:
    """Domains by source in honest traffic, how many of them are named, and how many by peers."""
    domains, named, peers = 0, 0, Counter[str]()
    for path in paths:
        with reading(path) as records:
            asked = asked_names(records).select("orig_h", "name").to_pandas()
            named += len(found(records))
        rules = plain_rules(zip(asked.orig_h, asked.name, strict=True))
        domains += len(rules.pop("all"))
        peers.update({name: len(pairs) for name, pairs in rules.items()})
    return domains, named, peers


def oddities(rng: np.random.Generator) -> dict[str, tuple[str, list[Row]]]:
    """One of each oddity: the rule that should name it, and its questions."""
    source, begin = "10.7.9.9", rng.uniform(0, DAY - 2 * HOUR)
    length = int(rng.integers(110, 215))
    secret = "".join(rng.choice(list("0123456789abcdef"), length))
    dead = int(rng.integers(80, 400))
    pace = np.sort(rng.uniform(0, HOUR * 0.9, 2 * dead))
    letters = list("abcdefghijklmnopqrstuvwxyz")
    host = [f"{''.join(rng.choice(letters, 8))}" for _ in range(3 * dead)]
    flood = int(rng.integers(6000, 20_000))
    made: dict[str, tuple[str, list[Row]]] = {}

    def add(name: str, rule: str, rows: list[Row]) -> None:
        made[name] = (rule, rows)

    add(
        "one long name",
        "dns_long_name",
        [lookup(begin, source, f"{_labels(secret, 60)}.relay9.net", qtype_name="TXT")],
    )
    add(
        "names of the day",
        "dns_nxdomain",
        [
            lookup(
                begin + t,
                source,
                f"{word}.{rng.choice(['com', 'biz', 'top'])}",
                rcode_name="NXDOMAIN",
            )
            for t, word in zip(pace[:dead], host, strict=False)
        ],
    )
    add(
        "host names guessed",
        "dns_nxdomain",
        [
            lookup(begin + t, source, f"{word}.victim.co.uk", rcode_name="NXDOMAIN")
            for t, word in zip(np.linspace(0, 600, 3 * dead), host, strict=True)
        ],
    )
    add(
        "zone transfer",
        "dns_transfer",
        [
            lookup(
                begin,
                source,
                "corp.victim.org",
                qtype_name="AXFR",
                proto="tcp",
                rcode_name=str(rng.choice(["NOERROR", "REFUSED"])),
            )
        ],
    )
    add(
        "NULL records",
        "dns_rare_type",
        [
            lookup(begin + 5 * k, source, f"p{k % 4}.relay9.net", qtype_name="NULL")
            for k in range(int(rng.integers(5, 200)))
        ],
    )
    add(
        "stages in TXT records",
        "dns_txt_volume",
        [
            lookup(begin + 20 * k, source, f"{k % 9}.stage.relay9.net", qtype_name="TXT")
            for k in range(int(rng.integers(120, 180)))
        ],
    )
    add(
        "a flood",
        "dns_volume",
        [
            lookup(begin + t, source, f"{k % 40}.victim.org")
            for k, t in enumerate(np.linspace(0, 1800, flood))
        ],
    )
    return made  # fmt: skip


def odd_figures(seeds: int) -> list[Figure]:
    """Oddities found in an office of sixty hosts that ask now and then."""
    hits: Counter[str] = Counter()
    tries = 3 * seeds
    for seed in range(tries):
        rng = np.random.default_rng([seed, 99])
        background = [
            row
            for host in range(60)
            for row in browsing(
                rng, f"10.7.{host // 20}.{host % 20 + 1}", int(rng.integers(150, 600))
            )
        ] + browsing(rng, "10.7.9.9", 300)
        for name, (rule, rows) in oddities(rng).items():
            with holding(dns=background + rows) as records:
                named = {(which, source) for which, source, _ in found(records, rule)}
            hits[name] += (rule, "10.7.9.9") in named
    return [Figure(f"{name}: found at low or above", 0.9, hits[name] / tries) for name in hits]


def measure(seeds: int, data: Sequence[Path] = (), hosts: int = 120) -> list[Figure]:
    """Every figure, of so many seeds; `data` holds honest logs or captures."""
    figures = []
    for encoder in ENCODERS:
        known = encoder in {"iodine", "dnscat2"}
        figures += [
            reach(seeds, encoder, size=2000, spread=0.9 * HOUR, goal=0.99 if known else None),
            reach(seeds, encoder, size=2520, spread=HOUR, goal=0.9),
        ]
    loud, host_days = 0, 0
    with tempfile.TemporaryDirectory() as directory:
        paths = list(data)
        for seed in range(seeds):
            path = Path(directory) / str(seed)
            path.mkdir()
            office(700 + seed, hosts=hosts).write(path)
            paths.append(path)
            with reading(path) as records:
                loud += len(found(records, "dns_"))
                host_days += dns_questions(records).orig_h.nunique().execute()
        domains, named, peers = false_domains(paths)
    figures.append(
        Figure(
            f"honest domains named, of {domains:,} (by source and day)",
            1e-4,
            named / domains,
            at_most=True,
            peers={name: count / domains for name, count in peers.items()},
        )
    )
    figures += odd_figures(seeds)
    figures.append(
        Figure(
            f"findings of all DNS rules, per host and day ({host_days:,})",
            1e-3,
            loud / max(host_days, 1),
            at_most=True,
        )
    )
    return figures


def main() -> None:
    """Print every figure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=3, help="how many seeds of each simulation")
    parser.add_argument("--data", type=Path, nargs="*", default=[], help="honest logs, captures")
    arguments = parser.parse_args()
    print(table(measure(arguments.seeds, arguments.data)))


if __name__ == "__main__":
    main()
