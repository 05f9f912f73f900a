"""What a login that got no further looks like, and how alike a series of them is.

Logs of connections do not say whether a password was right, but sizes nearly do: a server says the
same to every wrong one and then the connection ends, while a session that begins moves more. Bro
presumed an SSH login failed while the server had sent under 5,500 bytes
(``SSH::authentication_data_size``, policy/protocols/ssh.bro of Bro 1.5 and 2.0). The bounds of the
other services are those of a TLS handshake with a chain of certificates (8 kB) where they encrypt,
and of their own messages where they do not.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import ibis

from analyzer.derived import LOGIN_SERVICES

if TYPE_CHECKING:
    import ibis.expr.types as ir

WINRM_PORTS = (5985, 5986)
"""WinRM is HTTP to Zeek, so only its ports tell."""


@dataclass(frozen=True, slots=True)
class Failure:
    """What a failed login to a service looks like.

    Attributes:
        least_out: payload the client sends at least, bytes: less is a look at the banner.
        least_in: payload the server sends at least.
        most_out: payload the client sends at most: more is a session.
        most_in: payload the server sends at most.
        longest: how long it takes at most, s.
        patience: how many times the usual number of guesses it takes to say anything, as programs
            log in to this service again and again all day.
    """

    least_out: int
    least_in: int
    most_out: int
    most_in: int
    longest: float = 60.0
    patience: float = 1.0


# Keys have to be exchanged before a password is asked for (RFC 4253: the lists of algorithms alone
# take 400 bytes), and sshd waits two minutes for it (LoginGraceTime).
_SSH = Failure(400, 400, 5500, 5500, longest=150.0)
# Without network level authentication the login screen is drawn first.
_RDP = Failure(100, 100, 10_000, 30_000)
_TYPED = Failure(8, 15, 3000, 8000)
_MAIL = Failure(15, 40, 3000, 8000, patience=3.0)
_DATABASE = Failure(30, 30, 3000, 5000, patience=10.0)

FAILURES: dict[str, Failure] = {
    "ssh": _SSH,
    "rdp": _RDP,
    "ftp": _TYPED,
    "telnet": _TYPED,
    "rfb": Failure(12, 24, 500, 1000),
    "winrm": Failure(100, 60, 8000, 8000),
    "smb": Failure(200, 100, 3000, 3000, patience=3.0),
    "smtp": _MAIL,
    "imap": _MAIL,
    "pop3": _MAIL,
    # A right answer holds a ticket, over a kilobyte; KRB_ERROR does not (RFC 4120).
    "krb": Failure(100, 60, 500, 500, patience=3.0),
    "ldap": Failure(20, 14, 3000, 8000, patience=10.0),
    "mysql": _DATABASE,
    "postgresql": _DATABASE,
    "mssql": _DATABASE,
    "redis": Failure(10, 5, 3000, 5000, patience=10.0),
    # One connection to Zeek holds what was sent from one port; REGISTER and 401 take 500 each.
    "sip": Failure(200, 200, 3000, 3000, patience=3.0),
}
"""The bounds by service."""

SLACK = 64.0
"""Added to every size, bytes, so that a few bytes of a short message weigh little."""

WIDTH_IN = math.log(1.25)
"""How far the logarithms of what a server says to wrong passwords lie apart."""

WIDTH_OUT = math.log(1.5)
"""How far those of what a client tries lie apart."""


def spoken(table: ir.Table) -> ir.IntegerColumn:
    """The service that rows of conn or conversations speak, an index into LOGIN_SERVICES."""
    winrm = table.resp_p.isin(WINRM_PORTS) & (table.proto == "tcp")
    index = ibis.literal(LOGIN_SERVICES.index("winrm"))
    return ibis.ifelse(winrm.fill_null(False), index, table.login_service).cast("int64")


def looks_failed(conn: ir.Table) -> ir.BooleanValue:
    """Whether rows of conn with a ``spoken`` service are of the size of a failed login."""
    bounds = [
        (
            conn.spoken == LOGIN_SERVICES.index(name),
            conn.orig_bytes.between(failure.least_out, failure.most_out)
            & conn.resp_bytes.between(failure.least_in, failure.most_in)
            & (conn.duration.fill_null(0.0) <= failure.longest),
        )
        for name, failure in FAILURES.items()
    ]
    return ibis.cases(*bounds, else_=False).fill_null(False)


def logins(met: ir.Table) -> ir.Table:
    """The conversations with services that ask who one is, answered, with what they ``spoken``.

    Args:
        met: :func:`analyzer.features.contacts`.
    """
    asked = met.mutate(spoken=spoken(met), answers=met.connections - met.failed)
    known = [LOGIN_SERVICES.index(name) for name in FAILURES]
    return asked.filter(
        asked.spoken.isin(known) & (asked.answers > 0) & (asked.orig_h != asked.resp_h)
    )


def attempts(conn: ir.Table, asked: ir.Table) -> ir.Table:
    """The connections of some pairs that are of the size of a failed login.

    Columns: ``orig_h resp_h resp_p spoken ts orig_bytes resp_bytes``.

    Args:
        conn: the connections.
        asked: ``orig_h resp_h resp_p`` of those to look at, as :func:`logins` has them.
    """
    spoke = conn.mutate(spoken=spoken(conn))
    # Few connections speak any such service; the others' sizes need not be looked at.
    spoke = spoke.filter(spoke.spoken.notnull())
    failed = spoke.filter(looks_failed(spoke) & spoke.answered & spoke.request)
    pairs = asked.select("orig_h", "resp_h", "resp_p").distinct()
    kept = failed.semi_join(pairs, ["orig_h", "resp_h", "resp_p"])
    return kept.select("orig_h", "resp_h", "resp_p", "spoken", "ts", "orig_bytes", "resp_bytes")


def patience(spoken_index: ir.IntegerColumn) -> ir.FloatingValue:
    """How many times the usual number of guesses it takes at each service."""
    factors = [
        (spoken_index == LOGIN_SERVICES.index(name), failure.patience)
        for name, failure in FAILURES.items()
        if failure.patience > 1
    ]
    return ibis.cases(*factors, else_=1.0)
