from __future__ import annotations

import pytest

from ..conversations import HELLO, SERVER_HELLO, Conversation


def test_smtp() -> None:
    conversation = Conversation(25).server(b"220 mail.example.com ESMTP\r\n")
    assert conversation.services == ""
    assert conversation.client(b"EHLO me\r\n").services == "smtp"


def test_smtp_on_another_port_needs_both_sides() -> None:
    assert Conversation().client(b"EHLO me\r\n").services == ""
    assert Conversation().server(b"220-hi\r\n220 x\r\n").client(b"helo me\r\n").services == "smtp"
    assert Conversation().server(b"221 x\r\n").client(b"helo me\r\n").services == ""


def test_smtp_needs_a_command_of_its_own() -> None:
    assert Conversation(25).server(b"220 x\r\n").client(b"USER me\r\n").services == ""


def test_smtp_replies_are_numbers() -> None:
    conversation = Conversation(25).client(b"EHLO me\r\n")
    assert conversation.server(b"hello\r\n").services == ""


def test_the_text_of_a_mail_holds_no_commands() -> None:
    conversation = Conversation(25).client(b"DATA\r\nSTARTTLS\r\n").server(b"354 x\r\n220 x\r\n")
    assert conversation.client(HELLO).services == "smtp"


def test_smtp_begins_tls() -> None:
    conversation = Conversation(25).server(b"220 x\r\n").client(b"EHLO me\r\n", b"STARTTLS\r\n")
    conversation.server(b"250 STARTTLS\r\n", b"220 go ahead\r\n")
    assert conversation.client(HELLO).server(SERVER_HELLO).services == "smtp,ssl"


def test_smtp_does_not_begin_tls_if_it_is_refused() -> None:
    conversation = Conversation(25).server(b"220 x\r\n").client(b"STARTTLS\r\n")
    conversation.server(b"454 not now\r\n", b"220 x\r\n")
    assert conversation.client(HELLO).services == "smtp"


@pytest.mark.parametrize("command", [b"USER me", b"CAPA", b"stls"])
def test_pop3(command: bytes) -> None:
    conversation = Conversation(110).server(b"+OK ready\r\n").client(command + b"\r\n")
    assert conversation.services == ""
    assert conversation.server(b"+OK\r\n").services == "pop3"


def test_pop3_that_is_refused() -> None:
    conversation = Conversation(110).server(b"+OK ready\r\n").client(b"USER me\r\n")
    assert conversation.server(b"-ERR no\r\n").services == ""


def test_pop3_on_another_port() -> None:
    conversation = Conversation().server(b"+OK ready\r\n").client(b"USER me\r\n")
    assert conversation.server(b"+OK\r\n").services == "pop3"


def test_pop3_replies_are_what_they_have_to_be() -> None:
    conversation = Conversation(110).server(b"+OK\r\n").client(b"USER me\r\n").server(b"+OK\r\n")
    assert conversation.server(b"+\r..x\r\n").services == ""


def test_pop3_mails_may_hold_anything() -> None:
    conversation = Conversation(110).server(b"+OK\r\n").client(b"USER me\r\n").server(b"+OK\r\n")
    conversation.client(b"RETR 1\r\n").server(b"+OK\r\nanything\r\nat all\r\n.\r\n")
    assert conversation.services == "pop3"


def test_pop3_begins_tls() -> None:
    conversation = Conversation(110).server(b"+OK\r\n").client(b"STLS\r\n").server(b"+OK\r\n")
    assert conversation.client(HELLO).services == "pop3,ssl"


def test_imap() -> None:
    assert Conversation(143).server(b"* OK ready\r\n").services == "imap"
    assert Conversation(143).client(b"a1 CAPABILITY\r\n").services == "imap"
    assert Conversation(143).client(b"a1 FROB\r\n").services == ""


def test_imap_begins_tls() -> None:
    conversation = Conversation(143).server(b"* OK ready\r\n").client(b"a1 STARTTLS\r\n")
    conversation.server(b"* x\r\n", b"a1 OK go\r\n")
    assert conversation.client(HELLO).services == "imap,ssl"
    conversation = Conversation(143).server(b"* OK\r\n").client(b"a1 STARTTLS\r\n")
    assert conversation.server(b"a1 NO\r\n").client(HELLO).services == "imap"
