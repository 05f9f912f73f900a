"""What is worked out about a connection while it is loaded, so that nothing else need be kept.

A dozen columns say how a connection went; detectors ask three questions of them. The answers take
four bytes a row where the columns take sixty, and no query has to work them out again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import ibis

if TYPE_CHECKING:
    import ibis.expr.types as ir

UNKNOWN_TRANSPORT = "unknown_transport"
"""Zeek's proto for IP protocols other than TCP, UDP and ICMP (since 7.1)."""

FIRST_USER_PORT = 1024
"""Below are the system ports (RFC 6335), where services listen."""

# The protocol field of an IP header has eight bits.
_MOST_PROTOCOLS = 255

_ANSWERED_STATES = ("SF", "S1", "S2", "S3", "RSTO")
_UNANSWERED_STATES = ("S0", "REJ")

# Echo, timestamp, information and address mask requests (RFC 792, 950, 4443): what a host sends to
# learn who is there. The other ICMP messages are answers or errors about someone else's packets.
_ICMP_REQUESTS = (8, 13, 15, 17, 128)

# traceroute's UDP ports: 33434 plus three probes for each of up to 64 hops.
_TRACEROUTE_PORTS = (33434, 33434 + 3 * 64)


def is_answered(conn: ir.Table) -> ir.BooleanColumn:
    """Whether the responder answered as a host that offers the service.

    For TCP it did if it sent anything but resets: a SYN-ACK (h), data (d), an ACK (a) or a FIN (f)
    in Zeek's history; so closed ports, silent hosts and the replies to FIN, NULL, Xmas, ACK and
    window scans all count as failed. A TCP originator that sent data had a connection, even if the
    sensor saw one side only, and where Zeek flipped the direction (``^``) nobody knows who asked.
    For everything else, a packet that came back is an answer.
    """
    history = conn.history.fill_null("")
    packets = conn.resp_pkts > 0
    return ibis.cases(
        (conn.proto != "tcp", ibis.coalesce(packets, conn.resp_bytes > 0, True)),
        (conn.conn_state.isin(_ANSWERED_STATES), True),
        (conn.conn_state.isin(_UNANSWERED_STATES), history.contains("^")),
        (history != "", history.re_search("[hdafD^]")),
        else_=ibis.coalesce(packets, conn.resp_bytes > 0, True),
    )


def is_request(conn: ir.Table) -> ir.BooleanColumn:
    """Whether a connection was an attempt to reach its responder, rather than stray traffic.

    Left out are ICMP messages that ask nothing, traceroute's probes, and UDP from a service port to
    a high one, which is an answer whose question was not seen.
    """
    traceroute = conn.resp_p.between(*_TRACEROUTE_PORTS)
    answer = (conn.orig_p < FIRST_USER_PORT) & (conn.resp_p >= FIRST_USER_PORT)
    return ibis.cases(
        (conn.proto == "tcp", True),
        (conn.proto == "udp", ~(traceroute | answer).fill_null(False)),
        (conn.proto == "icmp", conn.orig_p.isin(_ICMP_REQUESTS).fill_null(False)),
        else_=True,
    )


def tried_port(conn: ir.Table) -> ir.IntegerColumn:
    """What of the responder was tried: its port, 0 for ICMP, the IP protocol where that is all.

    Each ICMP request type is a port to Zeek; a sweep with two of them is still one sweep. Other IP
    protocols have no ports at all: there the protocol itself is what is tried.
    """
    port = ibis.cases(
        (conn.proto == "icmp", 0),
        (conn.proto == UNKNOWN_TRANSPORT, ibis.least(conn.ip_proto, _MOST_PROTOCOLS)),
        else_=conn.resp_p,
    )
    return port.cast("uint16").fill_null(0)


LOGIN_SERVICES: tuple[str, ...] = (
    "",
    "ssh",
    "rdp",
    "ftp",
    "telnet",
    "smb",
    "rfb",
    "winrm",
    "smtp",
    "imap",
    "pop3",
    "ldap",
    "krb",
    "mysql",
    "postgresql",
    "mssql",
    "redis",
    "sip",
)
"""The services that ask who one is, as Zeek names them where it knows them; the first is none."""

_LOGIN_PORTS: dict[str, tuple[int, ...]] = {
    "ssh": (22, 2222),
    "rdp": (3389,),
    "ftp": (21, 990),
    "telnet": (23, 2323),
    "smb": (139, 445),
    "rfb": (5900, 5901),
    "winrm": (5985, 5986),
    "smtp": (465, 587),
    "imap": (143, 993),
    "pop3": (110, 995),
    "ldap": (389, 636),
    "krb": (88,),
    "mysql": (3306,),
    "postgresql": (5432,),
    "mssql": (1433,),
    "redis": (6379,),
    "sip": (5060, 5061),
}


def login_service(conn: ir.Table) -> ir.IntegerColumn:
    """Which of :data:`LOGIN_SERVICES` a connection speaks, by index.

    What Zeek confirmed decides; where it confirmed nothing (the connection failed, or is encrypted
    from its first byte), the service's own ports (IANA) do.
    """
    service, port = conn.service, conn.resp_p
    by_port = [
        (port.isin(ports), LOGIN_SERVICES.index(name)) for name, ports in _LOGIN_PORTS.items()
    ]
    listed = "," + service.lower() + ","
    by_name = [
        (listed.contains(f",{name},"), index) for index, name in enumerate(LOGIN_SERVICES) if name
    ]
    every = [port for ports in _LOGIN_PORTS.values() for port in ports]
    # Most connections are decided by the first conditions; only the rest is looked at closely.
    of_port = ibis.ifelse(
        port.isin(every) & (conn.proto == "tcp"), ibis.cases(*by_port, else_=0), 0
    )
    known = ibis.cases(
        (service.isnull() | service.isin(("", "ssl")), of_port),
        (service.isin(_NO_LOGIN), 0),
        else_=ibis.cases(*by_name, else_=0),
    )
    return known.cast("uint8").fill_null(0)


# The commonest services that ask for no name.
_NO_LOGIN = ("dns", "http", "ntp", "dhcp", "quic", "snmp")


APPLICATIONS: tuple[str, ...] = (
    "",
    "dns",
    "ssl",
    "http",
    "ntp",
    "quic",
    "snmp",
    "dhcp",
    "smtp",
    "ssh",
    "smb",
    "gssapi,smb",
    "dce_rpc",
    "krb",
    "krb_tcp",
    "ldap",
    "ldap_tcp",
    "ldap_udp",
    "ntlm",
    "gssapi",
    "rdp",
    "rfb",
    "ftp",
    "ftp-data",
    "telnet",
    "imap",
    "pop3",
    "irc",
    "xmpp",
    "sip",
    "mqtt",
    "mysql",
    "postgresql",
    "redis",
    "radius",
    "syslog",
    "socks",
    "websocket",
    "modbus",
    "dnp3",
    "bittorrent",
    "ssl,smtp",
    "ssl,http",
    "another",
)
"""What Zeek says a connection speaks (``service``); the first is nothing, the last the rest."""


def application(conn: ir.Table) -> ir.IntegerColumn:
    """Which of :data:`APPLICATIONS` a connection speaks, by index; what Zeek confirmed alone."""
    known = [(conn.service == name, index) for index, name in enumerate(APPLICATIONS[:-1])]
    named = ibis.cases(*known, else_=len(APPLICATIONS) - 1)
    return ibis.ifelse(conn.service.isnull(), 0, named).cast("uint8")


def short_duration(conn: ir.Table) -> ir.FloatingColumn:
    """The duration in half the room; seven digits are enough for what is asked of it."""
    return conn.duration.cast("float32")


def short_packets(conn: ir.Table) -> ir.IntegerColumn:
    """Packets of the originator in half the room, no more than fit."""
    return conn.orig_pkts.clip(upper=_MOST_PACKETS).cast("uint32")


_MOST_PACKETS = 2**32 - 1

DERIVED = {
    "answered": is_answered,
    "request": is_request,
    "tried_p": tried_port,
    "login_service": login_service,
    "application": application,
    "duration": short_duration,
    "orig_pkts": short_packets,
}
"""The columns worked out, by name."""

NOT_KEPT = ("service", "conn_state", "history", "resp_pkts", "ip_proto")
"""The columns of conn that no detector asks for once these are there."""


def condensed(conn: ir.Table) -> ir.Table:
    """Connections as detectors need them: with what is derived, without what it is derived from."""
    return conn.mutate(**{name: derive(conn) for name, derive in DERIVED.items()}).drop(*NOT_KEPT)
