"""HTTP/1, what it is upgraded to (WebSocket), and what is tunneled through it (CONNECT).

Sources: RFC 9112, RFC 6455, Zeek's ``protocol/http/HTTP.cc`` and
``protocol/websocket/websocket-analyzer.pac``.
"""

from __future__ import annotations

import re

from analyzer.parsers.pcap.protocols.lines import Lines
from analyzer.parsers.pcap.protocols.session import MOST_BUFFERED, Reader, Session
from analyzer.parsers.pcap.server_names import without_port

_METHOD = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+)[ \t]+")
_VERSION = re.compile(rb"(?:^|[ \t])HTTP/")
_SHORTEST_OLD_METHOD = 3
_REPLY = re.compile(rb"HTTP/[^ \t]*[ \t]+([^ \t].{2})", re.DOTALL | re.IGNORECASE)
_REPLY_START = b"HTTP/"
_BODY = re.compile(rb"(?:content-length|transfer-encoding|upgrade)[ \t]*:", re.IGNORECASE)
_HOST = re.compile(rb"host[ \t]*:(.*)", re.IGNORECASE | re.DOTALL)
_UPGRADE = re.compile(rb"upgrade[ \t]*:[ \t]*websocket[ \t]*", re.IGNORECASE)

_SWITCHING, _OK = b"101", b"200"


class Http(Reader):
    """Sure once there is a request line; wrong once a reply is none."""

    service = "http"

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._lines = (Lines(), Lines())
        self._in_header = [False, False]
        self._has_body = False
        self._connects = False
        self._status = b""
        self._upgrades = False

    @classmethod
    def requested(cls, session: Session) -> Http:
        """A reader that waits for the first reply; the request is known and was confirmed."""
        reader = cls(session)
        reader.is_sure = reader._has_body = True
        return reader

    def deliver(self, data: bytes, *, is_originator: bool) -> None:
        """Read lines of requests or replies."""
        if self.session.findings.is_partial:
            self.finish()
            return
        if is_originator and self._has_body:
            return
        lines = self._lines[is_originator]
        for line in lines.add(data):
            reads = self._request if is_originator else self._reply
            if not reads(line):
                return
        if not is_originator and not self._in_header[0]:
            rest = lines.peek()
            if rest and not _REPLY_START.startswith(rest[: len(_REPLY_START)].upper()):
                self.violate()

    def _request(self, line: bytes) -> bool:
        if self._in_header[1]:
            host = _HOST.fullmatch(line)
            findings = self.session.findings
            if host is not None and not findings.server_name:
                findings.server_name = without_port(host[1])
            self._has_body |= _BODY.match(line) is not None
            self._in_header[1] = line != b""
            return not (self._has_body and line == b"")
        if not line:
            return True
        method = _METHOD.match(line)
        target = line[method.end() :] if method is not None else b""
        has_version = _VERSION.search(target) is not None
        if method is None or not (
            has_version or (target and len(method[1]) >= _SHORTEST_OLD_METHOD)
        ):
            self.violate()
            return False
        self.confirm()
        self._connects = method[1].upper() == b"CONNECT"
        self._in_header[1] = has_version
        if not has_version:  # HTTP/0.9: what follows is the reply, without any header.
            self.finish()
        return has_version

    def _reply(self, line: bytes) -> bool:
        if self._in_header[0]:
            self._upgrades |= _UPGRADE.fullmatch(line) is not None
            if line:
                return True
            self._end_of_reply()
            return False
        if not line:
            return True
        found = _REPLY.match(line)
        if found is None:
            self.violate()
            return False
        self._status = found[1]
        self._in_header[0] = True
        return True

    def _end_of_reply(self) -> None:
        inner = self.session.inner()
        rest = self._lines[0].rest()
        if self._status == _SWITCHING and self._upgrades:
            self.replace_by(WebSocket(self.session))
        elif self._status == _OK and self._connects and inner is not None:
            self.replace_by(Tunnel(self.session, inner))
        elif self._status == _SWITCHING:
            self.finish()
            return
        elif self._status[:1] == b"1":
            self._in_header[0] = False
            return
        else:
            # Requests that follow are still checked; replies have bodies.
            self._lines = (Lines(), self._lines[1])
            self._in_header[0] = True
            return
        if rest:
            self.session.readers[-1].deliver(rest, is_originator=False)


class Tunnel(Reader):
    """What comes through a proxy: a connection in itself."""

    def __init__(self, session: Session, inner: Session) -> None:
        super().__init__(session)
        self._inner = inner

    def deliver(self, data: bytes, *, is_originator: bool) -> None:
        """Hand on."""
        self._inner.deliver(data, is_originator=is_originator)
        if self._inner.is_finished:
            self.finish()


class WebSocket(Reader):
    """Sure once a message has ended; what messages hold is a connection in itself."""

    service = "websocket"

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._frames = (bytearray(), bytearray())
        self._inner = session.inner()

    def deliver(self, data: bytes, *, is_originator: bool) -> None:
        """Read frames (RFC 6455, section 5.2)."""
        frames = self._frames[is_originator]
        frames += data
        while len(frames) >= 2:
            is_masked = frames[1] >> 7
            length, start = frames[1] & 0x7F, 2
            if length >= 126:
                size = 2 if length == 126 else 8
                if len(frames) < 2 + size:
                    return
                length, start = int.from_bytes(frames[2 : 2 + size]), 2 + size
            mask = bytes(frames[start : start + 4 * is_masked])
            start += 4 * is_masked
            if length > MOST_BUFFERED:
                self.finish()
                return
            if len(frames) < start + length:
                return
            content = bytes(frames[start : start + length])
            is_data, is_final = frames[0] & 0x0F <= 2, frames[0] >> 7
            del frames[: start + length]
            if is_data and self._inner is not None and content:
                plain = _unmasked(content, mask)
                self._inner.deliver(plain, is_originator=is_originator)
            if is_final:
                self.confirm()
        if self._inner is None or self._inner.is_finished:
            self._finish_if_sure()

    def _finish_if_sure(self) -> None:
        if self.is_sure:
            self.finish()


def _unmasked(content: bytes, mask: bytes) -> bytes:
    if not mask:
        return content
    repeated = (mask * (len(content) // 4 + 1))[: len(content)]
    number = int.from_bytes(content) ^ int.from_bytes(repeated)
    return number.to_bytes(len(content))
