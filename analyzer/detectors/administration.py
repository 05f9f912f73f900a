"""Who administers whom: sessions of the protocols by which one machine takes charge of another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import ibis

from analyzer.derived import FIRST_USER_PORT, LOGIN_SERVICES

if TYPE_CHECKING:
    import ibis.expr.types as ir


@dataclass(frozen=True, slots=True)
class Protocol:
    """A way to take charge of another machine.

    Attributes:
        name: what people call it.
        technique: ATT&CK technique of doing so from a host already taken.
        ports: where it listens (IANA).
        login_service: what Zeek calls it, on whatever port, if it knows it.
    """

    name: str
    technique: str
    ports: tuple[int, ...]
    login_service: str = ""


PROTOCOLS: tuple[Protocol, ...] = (
    Protocol("SMB", "T1021.002", (139, 445), "smb"),
    Protocol("RDP", "T1021.001", (3389,), "rdp"),
    Protocol("WinRM", "T1021.006", (5985, 5986)),
    Protocol("SSH", "T1021.004", (22,), "ssh"),
    # The endpoint mapper: WMI, scheduled tasks and services are asked for through it.
    Protocol("RPC", "T1021.003", (135,)),
    Protocol("VNC", "T1021.005", (5900, 5901, 5902, 5903), "rfb"),
    Protocol("Telnet", "T1021", (23,), "telnet"),
)
"""The protocols; where several fit as well, the first names the technique."""


def sessions(met: ir.Table) -> ir.Table:
    """Administration between local hosts: a row per source, destination and protocol.

    Columns: ``orig_h resp_h protocol`` (index into :data:`PROTOCOLS`), ``resp_p`` (the lowest port
    used), ``first last`` (times), ``days`` (UTC, on how many it took place), ``connections``,
    ``bytes_out bytes_in``. Both sides must have said something: what is silent, refused or only
    opened is a scan.

    Args:
        met: :func:`analyzer.features.contacts`.
    """
    inside = met.filter(
        _is_inside(met) & (met.proto == "tcp") & (met.bytes_out > 0) & (met.bytes_in > 0)
    )
    named = inside.mutate(protocol=_protocol(inside))
    named = named.filter(named.protocol >= 0)
    return named.group_by("orig_h", "resp_h", "protocol").aggregate(
        resp_p=named.resp_p.min(),
        first=named["first"].min(),
        last=named["last"].max(),
        days=(named.half_day / 2).floor().nunique(),
        connections=named.connections.sum().cast("int64"),
        bytes_out=named.bytes_out.sum(),
        bytes_in=named.bytes_in.sum(),
    )


def _is_inside(met: ir.Table) -> ir.BooleanValue:
    """Whether two local hosts met."""
    return met.source_is_local & met.is_local & (met.orig_h != met.resp_h)


def _protocol(met: ir.Table) -> ir.IntegerValue:
    """Index into :data:`PROTOCOLS`, -1 for everything else."""
    cases = []
    for index, protocol in enumerate(PROTOCOLS):
        cases.append((met.resp_p.isin(protocol.ports), index))
        if protocol.login_service:
            spoken = met.login_service == LOGIN_SERVICES.index(protocol.login_service)
            cases.append((spoken, index))
    return ibis.cases(*cases, else_=-1)


def clients(met: ir.Table) -> ir.Table:
    """How many local hosts each local host serves on system ports, ``resp_h`` and ``clients``.

    Administration does not count, or a worm would make servers of its victims, nor do sources that
    meet more hosts than any client does (monitors, scanners).

    Args:
        met: :func:`analyzer.features.contacts`.
    """
    served = met.filter(
        _is_inside(met)
        & (met.bytes_in > 0)
        & ((met.resp_p < FIRST_USER_PORT) | (met.login_service > 0))
        & (_protocol(met) < 0)
    )
    pairs = served.select("orig_h", "resp_h").distinct()
    degrees = pairs.group_by("orig_h").aggregate(servers=pairs.count())
    ordinary = pairs.semi_join(degrees.filter(degrees.servers <= _MOST_SERVERS), "orig_h")
    return ordinary.group_by("resp_h").aggregate(clients=ordinary.count())


# Directory, files, mail, printers and applications together: clients need no more servers.
_MOST_SERVERS = 30


def acquaintances(met: ir.Table, pairs: ir.Table) -> ir.Table:
    """Since when and how often some pairs have talked, whatever about.

    Columns: ``orig_h resp_h``, ``met_first``, ``talks``.

    Args:
        met: :func:`analyzer.features.contacts`.
        pairs: ``orig_h resp_h`` of those to look at.
    """
    talked = met.filter((met.bytes_in > 0) & (met.bytes_out > 0))
    known = talked.semi_join(pairs, ["orig_h", "resp_h"])
    return known.group_by("orig_h", "resp_h").aggregate(
        met_first=known["first"].min(), talks=known.connections.sum().cast("int64")
    )
