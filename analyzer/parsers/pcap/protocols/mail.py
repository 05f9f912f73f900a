"""Mail: SMTP, POP3 and IMAP.

Sources: RFC 5321, RFC 3207, RFC 1939, RFC 2595, RFC 3501, and Zeek's ``protocol/smtp/SMTP.cc``,
``protocol/pop3/POP3.cc`` and ``protocol/imap/imap-analyzer.pac``.
"""

from __future__ import annotations

import re

from analyzer.parsers.pcap.protocols.lines import Lines
from analyzer.parsers.pcap.protocols.session import Reader, Session
from analyzer.parsers.pcap.protocols.tls import Tls

_SMTP_COMMANDS = frozenset(
    b"EHLO HELO MAIL RCPT DATA QUIT RSET VRFY EXPN HELP NOOP STARTTLS BDAT ONEX AUTH TURN SEND "
    b"SOML SAML X-ANONYMOUSTLS".split()
)
_SMTP_REPLY = re.compile(rb"[1-5][0-9]{2}(?:$|[ -].*)", re.DOTALL)

_POP3_COMMANDS = frozenset(
    b"USER PASS APOP AUTH STAT LIST RETR DELE RSET NOOP LAST QUIT TOP CAPA UIDL STLS "
    b"XSENDER".split()
)
_POP3_SURE = frozenset((b"USER", b"CAPA", b"STLS"))
_POP3_LONG = frozenset((b"RETR", b"TOP", b"CAPA"))
_POP3_LONG_WITHOUT_ARGUMENT = frozenset((b"LIST", b"UIDL", b"AUTH"))

_IMAP_TOKENS = re.compile(rb"([!-~]+) +([!-~]+) *(.*)", re.DOTALL)
_IMAP_SURE = frozenset((b"capability", b"starttls"))
_IMAP_SURE_AND_DONE = frozenset(b"authenticate login examine create list fetch".split())


class Smtp(Reader):
    """Sure once a command of SMTP is seen; a server that answers without a number is none."""

    service = "smtp"
    resumes = True

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._lines = (Lines(), Lines())
        self._wants_tls = False
        self._sends_text = False

    def deliver(self, data: bytes, *, is_originator: bool) -> None:
        """Read commands or replies."""
        for line in self._lines[is_originator].add(data):
            if is_originator:
                self._command(line)
            elif not self._reply(line):
                return

    def _command(self, line: bytes) -> None:
        if self._sends_text:
            self._sends_text = line != b"."
            return
        command = line.split(None, 1)[0].upper() if line.strip() else b""
        if command not in _SMTP_COMMANDS:
            return
        self.confirm()
        self._sends_text = command == b"DATA"
        self._wants_tls = command in (b"STARTTLS", b"X-ANONYMOUSTLS")

    def _reply(self, line: bytes) -> bool:
        if _SMTP_REPLY.fullmatch(line) is None:
            self.violate()
            return True
        if self._wants_tls and line.startswith(b"220"):
            self.replace_by(Tls(self.session))
            return False
        if line[:1] not in b"23":
            self._sends_text = self._wants_tls = False
        return True


class Pop3(Reader):
    """Sure once a server agrees to ``USER``, ``CAPA`` or ``STLS``."""

    service = "pop3"
    resumes = True

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._lines = (Lines(), Lines())
        self._commands: list[tuple[bytes, bool]] = []
        self._is_multiline = False
        self._authenticates = False

    def deliver(self, data: bytes, *, is_originator: bool) -> None:
        """Read commands or replies."""
        if self.session.findings.is_partial:
            self.finish()
            return
        for line in self._lines[is_originator].add(data):
            if is_originator:
                self._command(line)
            elif not self._reply(line):
                return

    def _command(self, line: bytes) -> None:
        words = line.split()
        if self._authenticates or not words or len(self._commands) > 100:
            return
        command = words[0].upper()
        is_alone = len(words) == 1
        if command in _POP3_COMMANDS:
            is_long = command in _POP3_LONG or (is_alone and command in _POP3_LONG_WITHOUT_ARGUMENT)
            self._commands.append((command, is_long))
            self._authenticates = command == b"AUTH" and not is_alone

    def _reply(self, line: bytes) -> bool:
        if self._is_multiline:
            self._is_multiline = line != b"."
            return True
        word = line.split(None, 1)[0].upper() if line.strip() else b""
        if word == b"+" and self._authenticates:
            return True
        if word not in (b"+OK", b"-ERR"):
            self.violate()
            return True
        self._authenticates = False
        command, is_long = self._commands.pop(0) if self._commands else (b"", False)
        if word == b"+OK":
            if command in _POP3_SURE:
                self.confirm()
            if command == b"STLS":
                self.replace_by(Tls(self.session))
                return False
            self._is_multiline = is_long
        return True


class Imap(Reader):
    """Sure once the server greets, or the client asks for capabilities or TLS."""

    service = "imap"
    resumes = True

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._lines = (Lines(), Lines())
        self._tls_tag = b""

    def deliver(self, data: bytes, *, is_originator: bool) -> None:
        """Read commands or replies."""
        for line in self._lines[is_originator].add(data):
            if not line:
                continue
            found = _IMAP_TOKENS.fullmatch(line)
            if found is None:
                if line != b"*" and not is_originator and not line.startswith(b"+"):
                    self.violate()
                    return
                continue
            tag, command = found[1], found[2].lower()
            if not is_originator and tag == b"*" and command == b"ok":
                self.confirm()
            if is_originator and command in _IMAP_SURE:
                self.confirm()
                self._tls_tag = tag if command == b"starttls" else self._tls_tag
            if is_originator and command in _IMAP_SURE_AND_DONE:
                self.confirm()
                self.finish()
                return
            if not is_originator and self._tls_tag == tag and command == b"ok":
                self.replace_by(Tls(self.session))
                return
