"""Which readers a connection is tried with: by its responder's port, and by how it begins.

Sources: the ports in ``scripts/base/protocols/*/main.zeek`` and the signatures in the ``dpd.sig``
beside them. A port alone never names a service: it only has a reader look.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import TypeAlias

from analyzer.parsers.pcap.protocols.chat import Irc, Xmpp
from analyzer.parsers.pcap.protocols.databases import Ldap, MySql, PostgreSql, Redis
from analyzer.parsers.pcap.protocols.datagrams import (
    Dhcp,
    LdapUdp,
    Ntp,
    Quic,
    Radius,
    RdpUdp,
    Sip,
    Snmp,
    Syslog,
)
from analyzer.parsers.pcap.protocols.dce_rpc import DceRpc
from analyzer.parsers.pcap.protocols.ftp import Ftp
from analyzer.parsers.pcap.protocols.industrial import Dnp3, Dnp3Udp, Modbus, Mqtt
from analyzer.parsers.pcap.protocols.mail import Imap, Pop3, Smtp
from analyzer.parsers.pcap.protocols.remote import Rdp, Rfb, Socks, Ssh
from analyzer.parsers.pcap.protocols.security import Kerberos, KerberosTcp
from analyzer.parsers.pcap.protocols.session import Opening, Reader, Signature, Signatures
from analyzer.parsers.pcap.protocols.smb import Smb
from analyzer.parsers.pcap.protocols.tls import Dtls, Tls
from analyzer.parsers.pcap.protocols.tunnels import Ayiya, Geneve, Gtp, Teredo, Vxlan
from analyzer.parsers.pcap.protocols.web import Http

Readers: TypeAlias = tuple[type[Reader], ...]


def _by_port(
    readers: Iterable[tuple[type[Reader], tuple[int, ...]]],
) -> Mapping[int, Readers]:
    found: dict[int, Readers] = {}
    for reader, ports in readers:
        for port in ports:
            found[port] = (*found.get(port, ()), reader)
    return MappingProxyType(found)


TCP_READERS = _by_port(
    (
        (Ftp, (21, 2811)),
        (Ssh, (22,)),
        (Smtp, (25, 587)),
        (KerberosTcp, (88,)),
        (Pop3, (110,)),
        (DceRpc, (135,)),
        (Smb, (139, 445)),
        (Imap, (143,)),
        (Ldap, (389, 3268)),
        (Modbus, (502,)),
        (Socks, (1080,)),
        (MySql, (1434, 3306)),
        (Mqtt, (1883,)),
        (Rdp, (3389,)),
        (Xmpp, (5222, 5269)),
        (PostgreSql, (5432,)),
        (Redis, (6379,)),
        (Irc, (6666, 6667, 6668, 6669)),
        (Dnp3, (20000, 19999)),
        (Http, (80, 81, 631, 1080, 3128, 8000, 8080, 8888)),
        (Tls, (443, 563, 585, 614, 636, 989, 990, 992, 993, 995, 5223)),
    )
)
"""What is tried on connections to a TCP port from their first byte on."""

UDP_READERS = _by_port(
    (
        (Dhcp, (67, 68, 4011)),
        (Kerberos, (88,)),
        (Ntp, (123,)),
        (Snmp, (161, 162)),
        (LdapUdp, (389,)),
        (Dtls, (443,)),
        (Syslog, (514,)),
        (Radius, (1812,)),
        (Gtp, (2123, 2152)),
        (RdpUdp, (3389,)),
        (Teredo, (3544,)),
        (Vxlan, (4789,)),
        (Sip, (5060,)),
        (Ayiya, (5072,)),
        (Geneve, (6081,)),
        (Dnp3Udp, (20000,)),
    )
)
"""Likewise of UDP."""

_HTTP_METHODS = (
    b"OPTIONS GET HEAD POST PUT DELETE TRACE CONNECT PROPFIND PROPPATCH MKCOL COPY MOVE LOCK "
    b"UNLOCK VERSION-CONTROL REPORT CHECKOUT CHECKIN UNCHECKOUT MKWORKSPACE UPDATE LABEL MERGE "
    b"BASELINE-CONTROL MKACTIVITY ORDERPATCH ACL PATCH SEARCH BCOPY BDELETE BMOVE BPROPFIND "
    b"BPROPPATCH NOTIFY POLL SUBSCRIBE UNSUBSCRIBE X-MS-ENUMATTS RPC_OUT_DATA RPC_IN_DATA QUERY"
).split()


_SPACE = b"\t\n\v\f\r "
_LETTERS = bytes(range(65, 91)) + bytes(range(97, 123))
_DIGITS = b"0123456789"


_TEXT = _SPACE + bytes(range(33, 127))


def _opening(text: bytes, first: bytes = b"") -> Opening:
    return Opening(re.compile(text, re.DOTALL), first)


def _line(text: bytes, first: bytes = _TEXT) -> Opening:
    later = re.compile(rb"[\n\r]" + text, re.DOTALL)
    return Opening(re.compile(text, re.DOTALL), first, later)


_TLS_HELLO = _opening(
    rb"(?:\x15\x03[\x00-\x03]\x00\x02..)?\x16\x03[\x00-\x03]..[\x01\x02]...\x03[\x00-\x04]",
    b"\x15\x16",
)
_SSH_VERSION = _opening(rb"[sS][sS][hH]-[12]\.", b"sS")
_RFB_VERSION = _opening(rb"RFB [0-9]{3}\.[0-9]{3}\n", b"R")
_XMPP_STREAM = _opening(
    rb"(?:<\?xml[^?>]*\?>)?[\n\r ]*<stream:stream [^>]*xmlns=['\"]jabber:", b"<\n\r "
)
_SMB_MESSAGE = _opening(rb"\x00...[\xfe\xff]SMB", b"\x00")
# In one fragment: flags 1 and 2 among the bits of the fourth byte.
_RPC_WHOLE = b"".join(b"\\x%02x" % flags for flags in range(3, 256, 4))
_RPC_MESSAGE = _opening(
    rb"\x05[\x00\x01][\x00-\x13][" + _RPC_WHOLE + rb"][\x00\x10][\x00-\x03]\x00\x00", b"\x05"
)
_LDAP_MESSAGE = (
    rb"\x30(?:[\x05-\x7f]|\x81.|\x82..|\x83...|\x84....)\x02(?:\x01.|\x02..|\x03...|\x04....)"
)
_KERBEROS_REQUEST = rb"[\x6a\x6c].{1,4}\x30.{1,4}\xa1\x03\x02\x01\x05\xa2\x03\x02\x01"
_KERBEROS_REPLY = rb"[\x6b\x6d\x7e].{1,4}\x30.{1,4}\xa0\x03\x02\x01\x05\xa1\x03\x02\x01"

TCP_SIGNATURES = Signatures(
    Signature(
        Http,
        _opening(rb"\s*(?:" + b"|".join(_HTTP_METHODS) + rb")\s", _LETTERS + _SPACE),
        None,
    ),
    Signature(Tls, _TLS_HELLO, _TLS_HELLO),
    Signature(Ssh, _SSH_VERSION, _SSH_VERSION, needs_both=True),
    Signature(
        Smtp,
        _line(rb"\s{0,9}(?:[hH][eE][lL][oO]|[eE][hH][lL][oO])"),
        _opening(rb"\s*220[\s-]", b"2" + _SPACE),
        needs_both=True,
    ),
    Signature(
        Ftp,
        _line(rb" {0,9}[uU][sS][eE][rR] "),
        _line(rb"[\n\r ]*(?:120|220)[^0-9].*[\n\r] {0,9}(?:230|331)[^0-9]", b"12\n\r "),
        needs_both=True,
    ),
    Signature(
        Pop3,
        _line(
            rb"\s{0,9}(?:[uU][sS][eE][rR]\s|[aA][pP][oO][pP]\s|[cC][aA][pP][aA]"
            rb"|[aA][uU][tT][hH]|[sS][tT][lL][sS])"
        ),
        _opening(rb"\+OK", b"+"),
        needs_both=True,
    ),
    Signature(
        Irc,
        _line(
            rb" {0,9}(?:[uU][sS][eE][rR] +[^\r\n].*[\r\n] {0,9}[nN][iI][cC][kK] +[^\r\n]"
            rb"|[nN][iI][cC][kK] +[^\r\n].*[\r\n] {0,9}[uU][sS][eE][rR] +[^\r\n])"
        ),
        _line(rb"(?::[^ \n\r]{1,255} )?[0-9]{3} "),
        needs_both=True,
    ),
    Signature(Xmpp, _XMPP_STREAM, _XMPP_STREAM),
    Signature(Smb, _SMB_MESSAGE, _SMB_MESSAGE),
    Signature(DceRpc, _RPC_MESSAGE, _RPC_MESSAGE),
    Signature(Rfb, _RFB_VERSION, _RFB_VERSION, needs_both=True),
    Signature(
        Rdp,
        _opening(rb"\x03\x00..[^\x00]\xe0", b"\x03"),
        _opening(rb"\x03\x00..[^\x00]\xd0", b"\x03"),
        needs_both=True,
    ),
    Signature(
        Socks,
        _opening(rb"\x05(?:\x01.|\x02..|\x03...|\x04....)$", b"\x05"),
        _opening(rb"\x05[\x00-\x02]$", b"\x05"),
        needs_both=True,
    ),
    Signature(
        PostgreSql,
        _opening(
            rb"\x00\x00\x00\x08\x04\xd2\x16\x2f|\x00\x00..\x00\x03\x00.{0,256}user\x00", b"\x00"
        ),
        _opening(rb"[SN]|[a-zA-Z0-9]\x00\x00..", _LETTERS + _DIGITS),
        needs_both=True,
    ),
    Signature(Mqtt, _opening(rb"\x10.{1,4}\x00(?:\x04MQTT|\x06MQIsdp)", b"\x10"), None),
    Signature(
        KerberosTcp,
        _opening(rb"\x00.{3}" + _KERBEROS_REQUEST, b"\x00"),
        _opening(rb"\x00.{3}" + _KERBEROS_REPLY, b"\x00"),
    ),
    Signature(
        Ldap,
        _opening(_LDAP_MESSAGE + rb"[\x4a\x60\x63\x66\x68\x6c\x6e\x77]", b"\x30"),
        _opening(rb"\x30", b"\x30"),
        needs_both=True,
    ),
    Signature(Dnp3, None, _opening(rb"\x05\x64", b"\x05")),
)
"""How connections over TCP begin."""

_DTLS_HELLO = _opening(rb"\x16\xfe[\xff\xfd]\x00\x00.{8}\x01.{11}\xfe[\xff\xfd]", b"\x16")
_DHCP_MESSAGE = _opening(rb".{236}\x63\x82\x53\x63", b"\x01\x02")
_TEREDO_PACKET = _opening(
    rb"[\x60-\x6f].{7}(?:\x20\x01\x00\x00.{28}|.{16}\x20\x01\x00\x00.{12})",
    bytes(range(0x60, 0x70)),
)
_AYIYA_PACKET = _opening(rb".\x52\x11\x29")

UDP_SIGNATURES = Signatures(
    Signature(
        Quic,
        _opening(
            rb"[\xc0-\xff](?:\x00\x00\x00\x01|\x6b\x33\x43\xcf|\xff\x00\x00[\x16-\x22])",
            bytes(range(0xC0, 0x100)),
        ),
        None,
    ),
    Signature(Dtls, _DTLS_HELLO, _DTLS_HELLO),
    Signature(
        Sip,
        _opening(rb"[^\n]* SIP/[0-9]\.[0-9]\r\n"),
        _opening(rb" ?SIP/[0-9]\.[0-9] [0-9]{3} ", b" S"),
    ),
    Signature(Dhcp, _DHCP_MESSAGE, _DHCP_MESSAGE),
    Signature(
        Kerberos,
        _opening(_KERBEROS_REQUEST, b"\x6a\x6c"),
        _opening(_KERBEROS_REPLY, b"\x6b\x6d\x7e"),
    ),
    Signature(
        LdapUdp,
        _opening(_LDAP_MESSAGE + rb"[\x60\x63\x77]", b"\x30"),
        _opening(rb"\x30", b"\x30"),
        needs_both=True,
    ),
    Signature(RdpUdp, _opening(rb"\xff{4}..[\x00-\xff]\x01", b"\xff"), None),
    Signature(Teredo, _TEREDO_PACKET, _TEREDO_PACKET),
    Signature(Ayiya, _AYIYA_PACKET, _AYIYA_PACKET),
)
"""How connections over UDP begin."""
