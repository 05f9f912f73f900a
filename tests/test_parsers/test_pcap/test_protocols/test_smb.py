from __future__ import annotations

import pytest

from ..conversations import Conversation
from ..rpc import BIND, REQUEST, rpc
from ..tokens import KERBEROS, NEGOTIATE, NTLM, RESPONSE, initial


def framed(message: bytes) -> bytes:
    """In NetBIOS's frame."""
    return b"\x00" + len(message).to_bytes(3) + message


def smb2(
    command: int, body: bytes = b"", *, tree: int = 1, status: int = 0, following: int = 0
) -> bytes:
    """A message of SMB 2."""
    header = (
        b"\xfeSMB\x40\x00\x00\x00" + status.to_bytes(4, "little") + command.to_bytes(2, "little")
    )
    header += bytes(6) + following.to_bytes(4, "little") + bytes(12) + tree.to_bytes(4, "little")
    return header + bytes(24) + body


def with_token(fixed: int, place: int, token: bytes) -> bytes:
    """A body whose token's offset and length stand at a place."""
    body = bytearray(fixed)
    body[place : place + 2] = (64 + fixed).to_bytes(2, "little")
    body[place + 2 : place + 4] = len(token).to_bytes(2, "little")
    return bytes(body) + token


def smb1(command: int, words: bytes, content: bytes, *, tree: int = 1) -> bytes:
    """A message of SMB 1."""
    header = b"\xffSMB" + bytes([command]) + bytes(19) + tree.to_bytes(2, "little") + bytes(6)
    return header + bytes([len(words) // 2]) + words + len(content).to_bytes(2, "little") + content


ASK = framed(smb2(0, bytes(36)))
ANSWER = framed(smb2(0, with_token(64, 56, NEGOTIATE)))
SETUP = framed(smb2(1, with_token(24, 12, initial(NTLM))))
MORE = framed(smb2(1, with_token(8, 4, RESPONSE), status=0xC0000016))
PIPE = framed(smb2(3, b"\x10\x00\x02\x00" + bytes(12)))
DISK = framed(smb2(3, b"\x10\x00\x01\x00" + bytes(12)))


def written(message: bytes, *, tree: int = 1) -> bytes:
    """A write of SMB 2."""
    body = b"\x31\x00\x70\x00" + len(message).to_bytes(4, "little") + bytes(40)
    return framed(smb2(9, body + message, tree=tree))


def test_three_chunks_are_enough() -> None:
    conversation = Conversation(445).client(ASK).server(framed(smb2(0, bytes(64))))
    assert conversation.services == ""
    assert conversation.client(framed(smb2(13, bytes(4)))).services == "smb"


def test_chunks_count_and_not_messages() -> None:
    assert Conversation(445).client(ASK * 3).services == ""
    assert Conversation(445).client(ASK[:40], ASK[40:50], ASK[50:]).services == "smb"


def test_who_asks() -> None:
    conversation = Conversation(445).client(ASK).server(ANSWER)
    assert conversation.services == "gssapi"
    assert conversation.client(SETUP).server(MORE).services == "gssapi,ntlm,smb"


def test_who_asks_with_kerberos() -> None:
    setup = framed(smb2(1, with_token(24, 12, initial(KERBEROS))))
    conversation = Conversation(445).client(ASK).server(ANSWER).client(setup[:100], setup[100:])
    assert conversation.services == "gssapi,smb,krb"


def test_errors_hold_no_token() -> None:
    refused = framed(smb2(1, with_token(8, 4, RESPONSE), status=0xC000006D))
    conversation = Conversation(445).client(ASK).server(ANSWER).client(ASK).server(refused)
    assert conversation.services == "gssapi,smb"


def test_pipes() -> None:
    conversation = Conversation(445).client(ASK).server(ANSWER, PIPE)
    assert conversation.client(written(rpc(BIND, bytes(56)))).services == "gssapi,smb,dce_rpc"


def test_files_are_no_pipes() -> None:
    conversation = Conversation(445).client(ASK).server(ANSWER, DISK)
    assert conversation.client(written(rpc(BIND, bytes(56)))).services == "gssapi,smb"
    conversation.server(PIPE).client(written(rpc(BIND, bytes(56)), tree=2))
    assert conversation.services == "gssapi,smb"


def test_pipes_that_are_written_and_read_at_once() -> None:
    message = rpc(REQUEST, bytes(8))
    body = bytes(4) + (0x0011C017).to_bytes(4, "little") + bytes(16)
    body += (64 + 56).to_bytes(4, "little") + len(message).to_bytes(4, "little") + bytes(24)
    conversation = Conversation(445).client(framed(smb2(11, body + message)))
    assert conversation.services == "dce_rpc"


def test_chained_messages() -> None:
    first = smb2(3, b"\x10\x00\x02\x00" + bytes(12), following=80)
    conversation = Conversation(445).server(framed(first + smb2(13, bytes(4))))
    assert conversation.client(written(rpc(BIND, bytes(56)))).services == "dce_rpc"


def test_chains_that_do_not_go_on() -> None:
    looped = smb2(13, bytes(4), following=1)
    assert Conversation(445).client(framed(looped)).services == ""


def test_smb_1() -> None:
    words = b"\xff\x00\x00\x00" + bytes(10) + len(NTLM).to_bytes(2, "little") + bytes(8)
    setup = framed(smb1(0x73, words, NTLM))
    conversation = Conversation(139).client(b"\x81\x00\x00\x04abcd").server(b"\x82\x00\x00\x00")
    conversation.client(framed(smb1(0x72, b"", b"\x02NT LM 0.12\x00"))).client(setup)
    assert conversation.services == "ntlm"
    words = b"\xff\x00\x00\x00\x00\x00" + len(RESPONSE).to_bytes(2, "little")
    conversation.server(framed(smb1(0x73, words, RESPONSE)))
    assert conversation.services == "ntlm,gssapi,smb"


def test_smb_1_negotiates() -> None:
    words = bytearray(34)
    words[22] = 0x80
    answer = smb1(0x72, bytes(words), bytes(16) + NEGOTIATE)
    assert Conversation(445).server(framed(answer)).services == "gssapi"
    words[22] = 0
    answer = smb1(0x72, bytes(words), bytes(16) + NEGOTIATE)
    assert Conversation(445).server(framed(answer)).services == ""


def test_smb_1_pipes() -> None:
    message = rpc(BIND, bytes(56))
    name = b"\\PIPE\\\x00\x00"
    start = 32 + 1 + 32 + 2 + len(name)
    words = bytearray(32)
    words[22:26] = len(message).to_bytes(2, "little") + start.to_bytes(2, "little")
    asked = smb1(0x25, bytes(words), name + message)
    assert Conversation(445).client(framed(asked)).services == "dce_rpc"
    other = asked.replace(b"\\PIPE\\", b"\\MAIL\\")
    assert Conversation(445).client(framed(other)).services == ""


def test_other_ports() -> None:
    conversation = Conversation().client(ASK).server(framed(smb2(0, bytes(64)))).client(ASK)
    assert conversation.services == "smb"


@pytest.mark.parametrize(
    "chunk", [b"\x00\x00\x00\x04abcd", b"GET / HTTP/1.0\r\n", b"\x81\x00\x00\x00"]
)
def test_what_is_none(chunk: bytes) -> None:
    assert "smb" not in Conversation(445).client(chunk, chunk, chunk).services


def test_what_is_wrong_takes_it_back() -> None:
    conversation = Conversation(445).client(ASK, ASK, ASK)
    assert conversation.services == "smb"
    assert conversation.client(b"\x00\x00\x00\x08rubbish!").services == ""


def test_gaps_are_survived() -> None:
    conversation = Conversation(445).client(ASK, ASK[:50])
    conversation.session.gap(is_originator=True)
    assert conversation.client(b"the rest", ASK).services == "smb"


def test_large_messages_are_skipped() -> None:
    large = framed(smb2(9, bytes(100_000)))
    conversation = Conversation(445).client(large[:1000], large[1000:] + ASK, ASK)
    assert conversation.services == "smb"
