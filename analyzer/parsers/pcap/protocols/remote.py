"""Remote shells, screens and proxies: SSH, RDP, RFB (VNC), SOCKS.

Sources: RFC 4253, MS-RDPBCGR, RFC 6143, RFC 1928, and Zeek's ``protocol/ssh/ssh-protocol.pac``,
``protocol/rdp/rdp-*.pac``, ``protocol/rfb/rfb-analyzer.pac``, ``protocol/socks/socks-*.pac``.
"""

from __future__ import annotations

import re

from analyzer.parsers.pcap.protocols.session import MOST_BUFFERED, Reader, Session, StreamReader
from analyzer.parsers.pcap.protocols.tls import Tls
from analyzer.parsers.pcap.protocols.web import Tunnel

_NEW_KEYS = 21
_SSH1_SESSION_KEY = 3
_SSH_VERSION = re.compile(rb"SSH-(2|1\.99|1)[.-][!-~ ]*", re.IGNORECASE)
_LONGEST_SSH_LINE = 1024

_TPKT, _TPKT_HEADER = 3, 4
_CONNECT_CONFIRM, _CONNECT_REQUEST, _DATA = 0xD0, 0xE0, 0xF0
_CONNECT_INITIAL, _CONNECT_RESPONSE = b"\x7f\x65", b"\x7f\x66"
_CLIENT_CORE = b"\x01\xc0"
_NEGOTIATION_RESPONSE = 2

_RFB_VERSION = re.compile(rb"RFB [0-9]{3}\.[0-9]{3}\n")
_RFB_VERSION_LENGTH = 12

_SOCKS5 = 5
_USER_AND_PASSWORD = 2
_ADDRESS_LENGTHS = {1: 4, 4: 16}


class Ssh(StreamReader):
    """Sure once keys are taken into use: ``SSH_MSG_NEWKEYS``, or SSH 1's session key."""

    service = "ssh"

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._versions = [b"", b""]

    def deliver(self, data: bytes, *, is_originator: bool) -> None:
        """Read the version, then packets."""
        rest = self._with(data, is_originator=is_originator)
        if not self._versions[is_originator]:
            self._read_version(rest, is_originator=is_originator)
        if all(self._versions):
            # 1.99 is a server of both (RFC 4253, section 5.1).
            for side in self._rest:
                self._read_packets(side, is_first=b"1" in self._versions)
        if len(rest) > 2 * MOST_BUFFERED:
            self.finish()

    def _read_version(self, rest: bytearray, *, is_originator: bool) -> None:
        # A server may send other lines before (RFC 4253, section 4.2).
        while (end := rest.find(b"\n")) >= 0:
            line = bytes(rest[:end]).removesuffix(b"\r")
            del rest[: end + 1]
            found = _SSH_VERSION.fullmatch(line)
            if found is not None:
                self._versions[is_originator] = found[1]
                return
            if is_originator:
                break
        else:
            if len(rest) <= _LONGEST_SSH_LINE:
                return
        self.violate()

    def _read_packets(self, rest: bytearray, *, is_first: bool) -> None:
        while len(rest) >= 4:
            length = int.from_bytes(rest[:4])
            padding = 8 - length % 8 if is_first else 0
            if not 2 <= length <= MOST_BUFFERED:
                self.violate()
                return
            if len(rest) < 4 + padding + length:
                return
            kind = rest[4 + padding] if is_first else rest[5]
            del rest[: 4 + padding + length]
            if kind == (_SSH1_SESSION_KEY if is_first else _NEW_KEYS):
                self.confirm()
                self.finish()
                return


class Rdp(StreamReader):
    """Sure once the client or the server sends its settings; TLS may begin before that."""

    service = "rdp"

    def deliver(self, data: bytes, *, is_originator: bool) -> None:
        """Read packets of TPKT (RFC 1006) with COTP (X.224) in them."""
        rest = self._with(data, is_originator=is_originator)
        while len(rest) > _TPKT_HEADER + 1:
            length = rest[2] << 8 | rest[3]
            if rest[0] != _TPKT or not _TPKT_HEADER + 2 <= length <= MOST_BUFFERED:
                self.violate()
                return
            if len(rest) < length:
                return
            packet = bytes(rest[_TPKT_HEADER:length])
            del rest[:length]
            if packet[1] == _CONNECT_CONFIRM and not is_originator and _chooses_tls(packet):
                self.replace_by(Tls(self.session))
                return
            if packet[1] == _DATA and _has_settings(packet[3:], is_originator=is_originator):
                self.confirm()
                self.finish()
                return


def _chooses_tls(packet: bytes) -> bool:
    """Whether the server's answer names another protocol than RDP's own (MS-RDPBCGR 2.2.1.2.1)."""
    is_response = len(packet) >= 15 and packet[7] == _NEGOTIATION_RESPONSE
    return is_response and packet[11:15] != bytes(4)


def _has_settings(content: bytes, *, is_originator: bool) -> bool:
    """Whether data holds settings in GCC's and MCS's wrapping (MS-RDPBCGR 2.2.1.3, 2.2.1.4)."""
    if is_originator:
        key = content.find(b"Duca")
        return content.startswith(_CONNECT_INITIAL) and _CLIENT_CORE in content[key:] and key > 0
    return content.startswith(_CONNECT_RESPONSE) and b"McDn" in content


class Rfb(Reader):
    """Sure once both sides have told their version."""

    service = "rfb"

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._versions = (bytearray(), bytearray())

    def deliver(self, data: bytes, *, is_originator: bool) -> None:
        """Read the version."""
        version = self._versions[is_originator]
        version += data[: _RFB_VERSION_LENGTH - len(version)]
        if len(version) < _RFB_VERSION_LENGTH:
            return
        if _RFB_VERSION.fullmatch(version) is None:
            self.violate()
        elif all(_RFB_VERSION.fullmatch(side) for side in self._versions):
            self.confirm()
            self.finish()


class Socks(StreamReader):
    """SOCKS 5: sure once the server has answered a request.

    Zeek has never recognised a reply of SOCKS 4, which begins with 0 instead of its version.
    """

    service = "socks"

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._methods_left = True
        self._method = -1
        self._authenticates = [False, False]
        self._has_requested = False

    def deliver(self, data: bytes, *, is_originator: bool) -> None:
        """Read messages (RFC 1928, RFC 1929)."""
        rest = self._with(data, is_originator=is_originator)
        reads = self._from_client if is_originator else self._from_server
        while rest and self in self.session.readers and reads(rest):
            pass
        if len(rest) > MOST_BUFFERED:
            self.finish()

    def _from_client(self, rest: bytearray) -> bool:
        if self._authenticates[1]:
            length = 2 + rest[1] + 1 if len(rest) > 1 else 2
            if len(rest) < length or len(rest) < length + rest[length - 1]:
                return False
            del rest[: length + rest[length - 1]]
            self._authenticates[1] = False
            return True
        if rest[0] != _SOCKS5:
            self.violate()
            return False
        if self._methods_left:
            if len(rest) < 2 or len(rest) < 2 + rest[1]:
                return False
            del rest[: 2 + rest[1]]
            self._methods_left = False
            return True
        length = _request_length(rest)
        if self._method < 0 or length == 0:
            return False
        if length < 0 or not 1 <= rest[1] <= 3 or rest[2]:
            self.violate()
            return False
        del rest[:length]
        self._has_requested = True
        return False

    def _from_server(self, rest: bytearray) -> bool:
        if self._authenticates[0]:
            if len(rest) < 2:
                return False
            del rest[:2]
            self._authenticates[0] = False
            return True
        if rest[0] != _SOCKS5:
            self.violate()
            return False
        if self._method < 0:
            if len(rest) < 2:
                return False
            self._method = rest[1]
            self._authenticates = [self._method == _USER_AND_PASSWORD] * 2
            del rest[:2]
            return bool(self._rest[1]) and self._from_client(self._rest[1])
        length = _request_length(rest)
        if length == 0 or not self._has_requested:
            return False
        if length < 0:
            self.violate()
            return False
        self.confirm()
        tunneled = bytes(rest[length:])
        inner = self.session.inner()
        if inner is None:
            self.finish()
            return False
        tunnel = Tunnel(self.session, inner)
        self.replace_by(tunnel)
        for data, is_originator in ((bytes(self._rest[1]), True), (tunneled, False)):
            if data and tunnel in self.session.readers:
                tunnel.deliver(data, is_originator=is_originator)
        return False


def _request_length(message: bytearray) -> int:
    """Bytes of a request or reply: 0 if they are not all there, -1 if it is none."""
    if len(message) < 5:
        return 0
    if message[3] == 3:
        length = 5 + message[4] + 2
    elif message[3] in _ADDRESS_LENGTHS:
        length = 4 + _ADDRESS_LENGTHS[message[3]] + 2
    else:
        return -1
    return length if len(message) >= length else 0
