"""SMB 1 and 2, what it says of who is asking, and the pipes in it.

Sources: MS-CIFS, MS-SMB, MS-SMB2, RFC 1002 (framing), and Zeek's ``protocol/smb``.
"""

# ruff: noqa: ARG002 - not every reader asks which side it reads

from __future__ import annotations

from analyzer.parsers.pcap.protocols.dce_rpc import DceRpcStream
from analyzer.parsers.pcap.protocols.security import read_token
from analyzer.parsers.pcap.protocols.session import MOST_BUFFERED, Session, StreamReader

_SURE_AFTER = 3
"""Chunks of data without a fault: Zeek ``protocol/smb/SMB.cc``."""

_SMB1, _SMB2 = b"\xffSMB", b"\xfeSMB"
_FRAME_HEADER = 4
_MOST_PIPES = 64

_HEADER_2 = 64
_NEGOTIATE, _SESSION_SETUP, _TREE_CONNECT, _READ, _WRITE, _IOCTL = 0, 1, 3, 8, 9, 11
_READABLE_STATUS = frozenset((0, 0x80000005, 0xC0000016))
"""Success, buffer overflow, more processing required: others answer with an error's structure."""
_PIPE_SHARE = 2
_PIPE_DEVICE = 0x11

_HEADER_1 = 32
_READ_1, _WRITE_1, _TRANSACTION_1 = 0x2E, 0x2F, 0x25
_NEGOTIATE_1, _SESSION_SETUP_1, _TREE_CONNECT_1 = 0x72, 0x73, 0x75


def _number(data: bytes, position: int, size: int = 2) -> int:
    """A little-endian number; 0 beyond the end."""
    return int.from_bytes(data[position : position + size], "little")


class Smb(StreamReader):
    """Sure after three chunks of data that hold together."""

    service = "smb"
    resumes = True

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._skipped = [0, 0]
        self._chunks = 0
        self._is_in_step = False
        self._pipe_trees: set[int] = set()
        self._pipes: dict[tuple[int, bool], DceRpcStream] = {}

    def deliver(self, data: bytes, *, is_originator: bool) -> None:
        """Read frames; a chunk counts once nothing in it was wrong."""
        if not self._is_in_step and data[4:8] not in (_SMB1, _SMB2):
            return
        self._is_in_step = True
        skipped = min(self._skipped[is_originator], len(data))
        self._skipped[is_originator] -= skipped
        rest = self._with(data[skipped:], is_originator=is_originator)
        while len(rest) >= _FRAME_HEADER:
            length = int.from_bytes(rest[1:4])
            if rest[0] == 0 and len(rest) >= 8 and rest[4:8] not in (_SMB1, _SMB2, b"\xfdSMB"):
                self._lose_step()
                self.violate()
                return
            if length > 4 * MOST_BUFFERED:
                # A large read or write: no handshake is as long.
                self._skipped[is_originator] = max(0, _FRAME_HEADER + length - len(rest))
                del rest[: _FRAME_HEADER + length]
                continue
            if len(rest) < _FRAME_HEADER + length:
                break
            message = bytes(rest[_FRAME_HEADER : _FRAME_HEADER + length])
            del rest[: _FRAME_HEADER + length]
            if message.startswith(_SMB2):
                self._second(message, is_originator=is_originator)
            elif message.startswith(_SMB1):
                self._first(message, is_originator=is_originator)
        self._chunks += 1
        if self._chunks == _SURE_AFTER:
            self.confirm()

    def gap(self, *, is_originator: bool) -> None:
        """Wait for the next message that begins a chunk."""
        self._lose_step()

    def _lose_step(self) -> None:
        self._is_in_step = False
        self._skipped = [0, 0]
        for rest in self._rest:
            rest.clear()

    def _pipe(self, identifier: int, data: bytes, *, is_originator: bool) -> None:
        if len(self._pipes) >= _MOST_PIPES:
            self._pipes.clear()
        stream = self._pipes.setdefault(
            (identifier, is_originator), DceRpcStream(self.session.findings)
        )
        stream.add(data)

    def _second(self, messages: bytes, *, is_originator: bool) -> None:
        """Read messages of SMB 2 that are chained to each other (MS-SMB2, 2.2.1)."""
        while len(messages) > _HEADER_2 and messages.startswith(_SMB2):
            following = _number(messages, 20, 4)
            message = messages[:following] if following else messages
            if _number(message, 8, 4) in _READABLE_STATUS:
                self._command_2(message, is_originator=is_originator)
            if following < _HEADER_2:
                return
            messages = messages[following:]

    def _command_2(self, message: bytes, *, is_originator: bool) -> None:
        command, tree = _number(message, 12), _number(message, 36, 4)
        body = _HEADER_2
        if command == _NEGOTIATE and not is_originator:
            self._token(message, _number(message, body + 56), _number(message, body + 58))
        elif command == _SESSION_SETUP:
            at = body + 12 if is_originator else body + 4
            self._token(message, _number(message, at), _number(message, at + 2))
        elif command == _TREE_CONNECT and not is_originator:
            self._tree(tree, is_pipe=message[body + 2 : body + 3] == bytes([_PIPE_SHARE]))
        elif command == _WRITE and is_originator and tree in self._pipe_trees:
            start, length = _number(message, body + 2), _number(message, body + 4, 4)
            self._pipe(tree, message[start : start + length], is_originator=True)
        elif command == _READ and not is_originator and tree in self._pipe_trees:
            start, length = (
                message[body + 2] if len(message) > body + 2 else 0,
                _number(message, body + 4, 4),
            )
            self._pipe(tree, message[start : start + length], is_originator=False)
        elif command == _IOCTL and _number(message, body + 4, 4) >> 16 == _PIPE_DEVICE:
            at = body + 24 if is_originator else body + 32
            start, length = _number(message, at, 4), _number(message, at + 4, 4)
            if start >= _HEADER_2:
                self._pipe(tree, message[start : start + length], is_originator=is_originator)

    def _tree(self, tree: int, *, is_pipe: bool) -> None:
        if is_pipe and len(self._pipe_trees) < _MOST_PIPES:
            self._pipe_trees.add(tree)
        elif not is_pipe:
            self._pipe_trees.discard(tree)

    def _token(self, message: bytes, start: int, length: int) -> None:
        if start >= _HEADER_1 and length:
            read_token(self.session.findings, message[start : start + length])

    def _first(self, message: bytes, *, is_originator: bool) -> None:
        """Read a message of SMB 1 (MS-CIFS, 2.2.3)."""
        if len(message) <= _HEADER_1 + 2:
            return
        command, tree, words = message[4], _number(message, 24), message[_HEADER_1]
        at = _HEADER_1 + 1
        content = at + 2 * words + 2
        if command == _NEGOTIATE_1 and not is_originator:
            # With extended security a GUID comes before the token (MS-SMB, 2.2.4.5.2.1).
            if words == 17 and _number(message, at + 19, 4) >> 31:
                self._token(message, content + 16, len(message) - content - 16)
        elif command == _SESSION_SETUP_1:
            if words == (12 if is_originator else 4):
                length = _number(message, at + (14 if is_originator else 6))
                self._token(message, content, length)
        elif command == _TREE_CONNECT_1 and not is_originator:
            self._tree(tree, is_pipe=message[content : content + 3] == b"IPC")
        elif command == _TRANSACTION_1:
            self._transaction(message, at, content, is_originator=is_originator)
        elif command == _WRITE_1 and is_originator and tree in self._pipe_trees:
            length, start = _number(message, at + 20), _number(message, at + 22)
            self._pipe(tree, message[start : start + length], is_originator=True)
        elif command == _READ_1 and not is_originator and tree in self._pipe_trees:
            length, start = _number(message, at + 10), _number(message, at + 12)
            self._pipe(tree, message[start : start + length], is_originator=False)

    def _transaction(self, message: bytes, at: int, content: int, *, is_originator: bool) -> None:
        """A transaction on a pipe: what is written, and read at once (MS-CIFS, 2.2.4.33)."""
        tree = _number(message, 24)
        if is_originator:
            name = message[content : content + 16].replace(b"\x00", b"").upper()
            if (
                not name.startswith(b"\\PIPE\\")
                or b"LANMAN" in message[content:].replace(b"\x00", b"")[:16]
            ):
                self._pipe_trees.discard(tree)
                return
            self._tree(tree, is_pipe=True)
            length, start = _number(message, at + 22), _number(message, at + 24)
        elif tree in self._pipe_trees:
            length, start = _number(message, at + 12), _number(message, at + 14)
        else:
            return
        if start >= _HEADER_1 and length:
            self._pipe(tree, message[start : start + length], is_originator=is_originator)
