"""Chat: IRC and XMPP.

Sources: RFC 1459, RFC 2812, RFC 6120, Zeek's ``protocol/irc/IRC.cc``,
``scripts/base/protocols/irc/dcc-send.zeek`` and ``protocol/xmpp/xmpp-analyzer.pac``.
"""

from __future__ import annotations

import re

from analyzer.parsers.pcap.protocols.findings import Expectation, Opener
from analyzer.parsers.pcap.protocols.ftp import mapped
from analyzer.parsers.pcap.protocols.lines import Lines
from analyzer.parsers.pcap.protocols.session import (
    MOST_BUFFERED,
    Reader,
    Session,
)
from analyzer.parsers.pcap.protocols.tls import Tls

DCC_SERVICE = "irc-dcc-data"

_IRC_COMMANDS = frozenset(
    b"ADMIN AUTHENTICATE AWAY CAP CONNECT DIE ERROR INFO INVITE ISON JOIN KICK KILL LINKS "
    b"LIST LUSERS MODE MOTD NAMES NICK NOTICE OPER PART PASS PING PONG PRIVMSG QUIT REHASH "
    b"RESTART SERVER SERVICE SERVLIST SQUERY SQUIT STARTTLS STATS SUMMON TIME TOPIC TRACE USER "
    b"USERHOST USERS VERSION WALLOPS WHO WHOIS WHOWAS".split()
)
_DCC = re.compile(rb"\x01?DCC SEND (?:\"[^\"]*\"|\S+) (\d{1,10}) (\d{1,5}) \d+(?: T?)?\x01?")
_LONGEST_IRC_LINE = 512
_TLS_READY = 670

_XMPP_TOKEN = re.compile(rb"<(/?[A-Za-z:_?!][\w:.-]*)([^<>]*)>")
_XMPP_DONE = frozenset((b"success", b"message", b"db:result", b"db:verify", b"presence"))


class Irc(Reader):
    """Sure once the client sends a command of IRC."""

    service = "irc"
    resumes = True

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._lines = (Lines(), Lines())

    def deliver(self, data: bytes, *, is_originator: bool) -> None:
        """Read messages, from either side."""
        for raw in self._lines[is_originator].add(data):
            line = raw.lstrip(b" ")
            if line.startswith(b":"):
                line = line.partition(b" ")[2].lstrip(b" ")
            elif len(line) < 3 or len(raw) > _LONGEST_IRC_LINE:
                continue
            if line[:1].isdigit():
                if not (line[:3].isdigit() and line[3:4] in (b" ", b"")):
                    self.violate()
                    return
                if not is_originator and int(line[:3]) == _TLS_READY:
                    self.replace_by(Tls(self.session))
                    return
                continue
            command, _, rest = line.partition(b" ")
            if is_originator and command.upper() in _IRC_COMMANDS:
                self.confirm()
            if command.upper() == b"PRIVMSG":
                self._message(rest)

    def _message(self, rest: bytes) -> None:
        found = _DCC.fullmatch(rest.partition(b" ")[2].lstrip(b" ").removeprefix(b":"))
        if found is None or int(found[1]) >= 1 << 32 or int(found[2]) >= 1 << 16:
            return
        address = mapped(int(found[1]).to_bytes(4))
        self.session.findings.expect(
            Expectation(DCC_SERVICE, address, int(found[2]), Opener.ANYBODY)
        )


class Xmpp(Reader):
    """Sure once the originator opens a stream; follows it until TLS begins."""

    service = "xmpp"

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._rest = [b"", b""]
        self._wants_tls = False

    def deliver(self, data: bytes, *, is_originator: bool) -> None:
        """Read elements' tags."""
        text = self._rest[is_originator] + data
        position = 0
        for found in _XMPP_TOKEN.finditer(text):
            position = found.end()
            name = found[1]
            if is_originator and name == b"stream:stream":
                self.confirm()
            if name in _XMPP_DONE:
                self.finish()
                return
            if is_originator and name == b"starttls":
                self._wants_tls = True
            if not is_originator and name == b"proceed" and self._wants_tls:
                self.replace_by(Tls(self.session))
                return
        self._rest[is_originator] = text[position:]
        if len(self._rest[is_originator]) > MOST_BUFFERED:
            self.finish()
