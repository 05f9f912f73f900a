from __future__ import annotations

import pytest

from ..conversations import Conversation
from ..rpc import BIND, BIND_ACK, REQUEST, rpc
from ..tokens import KERBEROS, NTLM, initial


@pytest.mark.parametrize("port", [135, 49152])
@pytest.mark.parametrize("flags", [3, 7])
def test_a_whole_message(port: int, flags: int) -> None:
    message = rpc(BIND, bytes(56), flags=flags)
    assert Conversation(port).client(message[:-1]).services == ""
    assert Conversation(port).client(message[:-1], message[-1:]).services == "dce_rpc"
    assert Conversation(port).server(rpc(BIND_ACK, bytes(40), flags=flags)).services == "dce_rpc"


def test_big_endian_messages() -> None:
    message = bytearray(rpc(BIND, bytes(56)))
    message[4] = 0
    message[8:10] = message[8:10][::-1]
    assert Conversation(135).client(bytes(message)).services == "dce_rpc"


def test_who_asks_comes_first() -> None:
    assert Conversation(135).client(rpc(BIND, bytes(56), token=NTLM)).services == "ntlm,dce_rpc"
    message = rpc(BIND, bytes(56), token=initial(KERBEROS), authentication=9)
    assert Conversation(135).client(message).services == "krb,gssapi,dce_rpc"


def test_signatures_of_requests_tell_nothing() -> None:
    conversation = Conversation(135).client(rpc(BIND, bytes(56), token=NTLM))
    assert conversation.client(rpc(REQUEST, bytes(8), token=bytes(16))).services == "ntlm,dce_rpc"


def test_other_ways_to_say_who_asks() -> None:
    message = rpc(BIND, bytes(56), token=bytes(16), authentication=68)
    assert Conversation(135).client(message).services == "dce_rpc"


@pytest.mark.parametrize(
    "message",
    [
        b"\x04" + rpc(BIND, bytes(56))[1:],
        rpc(20, bytes(56)),
        rpc(BIND, bytes(56))[:8] + b"\x0f\x00" + rpc(BIND, bytes(56))[10:],
        b"\x05\x02" + rpc(BIND, bytes(56))[2:],
    ],
)
def test_what_is_none(message: bytes) -> None:
    assert Conversation(135).client(message).services == ""


def test_another_protocol_is_answered_in_this_one() -> None:
    conversation = Conversation(135).client(b"\x00\x00\x00\xa4\xffSMBr" + bytes(160))
    assert conversation.server(rpc(13, bytes(8))).services == "dce_rpc"
    assert Conversation().client(b"\x00" * 40).server(rpc(13, bytes(8))).services == "dce_rpc"
