"""Attacks in DNS: tunnels and domain generation algorithms."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tests.traffic import names
from tests.traffic.resolution import CNAME, MX, NULL, NXDOMAIN, TXT, A
from tests.traffic.truth import Scene, Truth

if TYPE_CHECKING:
    from tests.traffic.recorder import Recorder

_TYPES = {"NULL": NULL, "TXT": TXT, "CNAME": CNAME, "MX": MX, "A": A}
_DGA_TLDS = ("com", "net", "biz", "info", "ru", "top")


def dns_tunnel(
    recorder: Recorder,
    *,
    queries: int = 600,
    duration: float = 600.0,
    qtype: str = "NULL",
    label: int = 55,
    labels: int = 2,
    domain: str = "t1.quillmoor.net",
    source: str | None = None,
    begin: float | None = None,
) -> list[Truth]:
    """An iodine-like tunnel: `labels` labels of `label` base-32 characters in every query."""
    scene = Scene(recorder, "dns_tunnel", source, begin)
    return _tunnel(scene, queries, duration, qtype, label=label, labels=labels, domain=domain)


def slow_dns_tunnel(
    recorder: Recorder,
    *,
    rate: float = 0.7,
    duration: float = 4 * 3600.0,
    label: int = 32,
    qtype: str = "TXT",
    domain: str = "pelicanmere.com",
    source: str | None = None,
    begin: float | None = None,
) -> list[Truth]:
    """A tunnel that carries `rate` bytes of information a second (5 bits a base-32 character)."""
    scene = Scene(recorder, "slow_dns_tunnel", source, begin)
    queries = max(int(rate * duration / (label * 5 / 8)), 1)
    return _tunnel(scene, queries, duration, qtype, label=label, labels=1, domain=domain)


def _tunnel(
    scene: Scene, queries: int, duration: float, qtype: str, *, label: int, labels: int, domain: str
) -> list[Truth]:
    rng, network = scene.rng, scene.network
    pieces = [names.base32(rng, queries, label) for _ in range(labels)]
    query = network.texts.codes(".".join((*row, domain)) for row in zip(*pieces, strict=True))
    sections: list[int] = []
    for reply in names.base32(rng, 64, 60):
        text = {"TXT": f"TXT {len(reply)} {reply}", "A": f"10.0.{len(sections)}.1"}.get(
            qtype, f"{reply}.{domain}"
        )
        sections.append(network.answers.add((text,), (0.0,), 12 + len(text)))
    # Zeek logs no answer for NULL records, so neither is there one here.
    answers = np.full(queries, -1) if qtype == "NULL" else rng.choice(sections, queries)
    scene.recorder.lookup(
        scene.spread(queries, duration),
        scene.source,
        network.server("resolver"),
        query,
        _TYPES[qtype],
        answers=answers,
    )
    return scene.truth("T1071.004", destination=domain, port=53)


def dga(
    recorder: Recorder,
    *,
    names_tried: int = 120,
    duration: float = 1800.0,
    registered: float = 0.02,
    tlds: tuple[str, ...] = _DGA_TLDS,
    source: str | None = None,
    begin: float | None = None,
) -> list[Truth]:
    """Pseudo-random names looked up one after another; the share `registered` exists."""
    scene = Scene(recorder, "dga", source, begin)
    rng, network = scene.rng, scene.network
    suffix = rng.choice(tlds, names_tried).tolist()
    words = names.pseudo_words(rng, names_tried)
    query = network.texts.codes(f"{word}.{tld}" for word, tld in zip(words, suffix, strict=True))
    found = rng.random(names_tried) < registered
    answer = network.answers.add((network.outside_address(rng),), (300.0,), 16)
    recorder.lookup(
        scene.spread(names_tried, duration),
        scene.source,
        network.server("resolver"),
        query,
        A,
        answers=np.where(found, answer, -1),
        rcode=np.where(found, 0, NXDOMAIN),
    )
    return scene.truth("T1568.002")
