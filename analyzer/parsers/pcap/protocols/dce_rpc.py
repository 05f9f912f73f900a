"""DCE/RPC, over TCP or in a named pipe of SMB.

Sources: C706 chapter 12, MS-RPCE, Zeek's ``protocol/dce-rpc/dce_rpc-*.pac``.
"""

from __future__ import annotations

from analyzer.parsers.pcap.protocols.findings import Findings
from analyzer.parsers.pcap.protocols.security import read_token
from analyzer.parsers.pcap.protocols.session import MOST_BUFFERED, Reader, Session

_VERSION, _LAST_TYPE, _HEADER = 5, 19, 16
_NEGOTIATING = frozenset((11, 12, 14, 15, 16))
"""Types whose tokens are not signatures: bind, alter context, their answers, and a third part."""
_AUTHENTICATION_HEADER = 8
_NEGOTIATE, _NTLM, _KERBEROS = 0x09, 0x0A, 0x10


class DceRpcStream:
    """The messages of one direction: confirmed each time one is whole.

    What it says of who is asking is confirmed before that.
    """

    def __init__(self, findings: Findings) -> None:
        self._findings = findings
        self._rest = bytearray()

    def add(self, data: bytes) -> bool:
        """Read messages; False if these bytes cannot be any."""
        rest = self._rest
        rest += data
        while len(rest) >= _HEADER:
            if rest[0] != _VERSION or rest[1] > 1 or rest[2] > _LAST_TYPE:
                rest.clear()
                return False
            order = "little" if rest[4] >> 4 else "big"
            length = int.from_bytes(rest[8:10], order)  # type: ignore[arg-type] # one of the two
            tokens = int.from_bytes(rest[10:12], order)  # type: ignore[arg-type]
            if not _HEADER + tokens <= length <= 4 * MOST_BUFFERED:
                rest.clear()
                return False
            if len(rest) < length:
                break
            if tokens and rest[2] in _NEGOTIATING:
                self._authentication(bytes(rest[:length]), length - tokens)
            self._findings.confirm("dce_rpc")
            del rest[:length]
        return True

    def _authentication(self, message: bytes, start: int) -> None:
        header = start - _AUTHENTICATION_HEADER
        if header >= _HEADER and message[header] in (_NEGOTIATE, _NTLM, _KERBEROS):
            read_token(self._findings, message[start:])


class DceRpc(Reader):
    """Sure once a whole message is seen."""

    service = "dce_rpc"
    resumes = True

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._streams = (DceRpcStream(session.findings), DceRpcStream(session.findings))

    def deliver(self, data: bytes, *, is_originator: bool) -> None:
        """Read messages."""
        if not self._streams[is_originator].add(data):
            self.violate()
