"""FTP's control connection, and the data connections that are agreed upon in it.

Sources: RFC 959, RFC 2428 (EPRT, EPSV), Zeek's ``protocol/ftp/FTP.cc`` and
``scripts/base/protocols/ftp/main.zeek``.
"""

from __future__ import annotations

import ipaddress
import re

from analyzer.parsers.pcap.protocols.findings import Expectation, Opener
from analyzer.parsers.pcap.protocols.lines import Lines
from analyzer.parsers.pcap.protocols.session import Reader, Session
from analyzer.parsers.pcap.protocols.tls import Tls

DATA_SERVICE = "ftp-data"

_COMMAND = re.compile(rb"\s*([!-~]{3,})\s*(.*)", re.DOTALL)
_REPLY = re.compile(rb"([1-9][0-9]{2})(?:$|([ -]).*)", re.DOTALL)
_NUMBERS = re.compile(rb"(\d{1,3}),(\d{1,3}),(\d{1,3}),(\d{1,3}),(\d{1,3}),(\d{1,3})")
_EXTENDED = re.compile(rb"\((.)\1\1(\d{1,5})\1\)")
_EXTENDED_PORT = re.compile(rb"(.)([12])\1([0-9a-fA-F.:]{2,45})\1(\d{1,5})\1")

_COMMANDS = frozenset(
    b"ABOR ACCT ADAT ALLO APPE AUTH CCC CDUP CLNT CWD DELE EPRT EPSV FEAT HELP HOST LANG LIST LPRT "
    b"LPSV MDTM MKD MLSD MLST MODE NLST NOOP OPTS PASS PASV PBSZ PORT PROT PWD QUIT REIN REST RETR "
    b"RMD RNFR RNTO SITE SIZE SMNT STAT STOR STOU STRU SYST TYPE USER XCUP XCWD XMKD XPWD XRMD "
    b"MIC CONF ENC".split()
)

_PASSIVE, _EXTENDED_PASSIVE, _TLS_READY = 227, 229, 234
_HIGHEST_PORT = 65535


class Ftp(Reader):
    """Sure once a command is seen; a server that answers without a number is none."""

    service = "ftp"
    resumes = True

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._lines = (Lines(), Lines())
        self._continued = b""
        self._has_replied = False
        self._commands: list[bytes] = []
        self._wants_tls = False

    def deliver(self, data: bytes, *, is_originator: bool) -> None:
        """Read commands or replies."""
        lines = self._lines[is_originator]
        for line in lines.add(data):
            if not line:
                continue
            if is_originator:
                self._command(line)
            elif self._wants_tls and line.startswith(b"%d" % _TLS_READY):
                self.replace_by(Tls(self.session))
                return
            else:
                self._reply(line)

    def _command(self, line: bytes) -> None:
        found = _COMMAND.fullmatch(line)
        if found is None:
            return
        command, argument = found[1].upper(), found[2]
        # Zeek takes any word for a command; so do we, once a server has answered like one.
        if command not in _COMMANDS and not self._has_replied:
            return
        self.confirm()
        self._commands = [*self._commands[-19:], command]
        if command == b"AUTH":
            self._wants_tls = argument.strip() == b"TLS"
        elif command == b"PORT":
            self._expect(_plain(argument), Opener.RESPONDER)
        elif command == b"EPRT":
            self._expect(_extended_port(argument), Opener.RESPONDER)

    def _reply(self, line: bytes) -> None:
        if self._continued:
            if line.startswith(self._continued + b" "):
                self._continued = b""
            return
        found = _REPLY.fullmatch(line)
        if found is None:
            self.violate()
            return
        self._has_replied = True
        if found[2] == b"-":
            self._continued = found[1]
            return
        code = int(found[1])
        if code == _PASSIVE and b"PASV" in self._commands:
            self._expect(_plain(line[3:]), Opener.ORIGINATOR)
        elif code == _EXTENDED_PASSIVE and b"EPSV" in self._commands:
            extended = _EXTENDED.search(line)
            if extended is not None:
                self._expect((None, int(extended[2])), Opener.ORIGINATOR)

    def _expect(self, place: tuple[tuple[int, int] | None, int] | None, opener: Opener) -> None:
        if place is not None and place[1] <= _HIGHEST_PORT:
            self.session.findings.expect(Expectation(DATA_SERVICE, place[0], place[1], opener))


def _plain(text: bytes) -> tuple[tuple[int, int], int] | None:
    """Address and port as six numbers: ``h1,h2,h3,h4,p1,p2`` (RFC 959, section 4.1.2)."""
    found = _NUMBERS.search(text)
    if found is None:
        return None
    numbers = [int(number) for number in found.groups()]
    if max(numbers) > 255:
        return None
    return mapped(bytes(numbers[:4])), numbers[4] << 8 | numbers[5]


def _extended_port(text: bytes) -> tuple[tuple[int, int], int] | None:
    """Address and port as ``|1|h1.h2.h3.h4|p|`` or ``|2|x:x:...|p|`` (RFC 2428, section 2)."""
    found = _EXTENDED_PORT.search(text)
    if found is None:
        return None
    try:
        address = ipaddress.ip_address(found[3].decode("ascii"))
    except ValueError:
        return None
    return mapped(address.packed), int(found[4])


def mapped(packed: bytes) -> tuple[int, int]:
    """An address in network order as upper and lower 64 bits, IPv4 mapped into IPv6."""
    whole = packed if len(packed) == 16 else bytes(10) + b"\xff\xff" + packed
    return int.from_bytes(whole[:8]), int.from_bytes(whole[8:])
