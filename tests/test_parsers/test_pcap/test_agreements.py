"""Connections that were agreed upon in others."""

from __future__ import annotations

import numpy as np

from analyzer.parsers.pcap import agreements
from analyzer.parsers.pcap.agreements import Agreements
from analyzer.parsers.pcap.protocols.findings import Expectation, Opener

CLIENT, SERVER, OTHER = (0, 1), (0, 2), (0, 3)


def passive(port: int = 2000, address: tuple[int, int] | None = None) -> Expectation:
    return Expectation("ftp-data", address, port, Opener.ORIGINATOR)


def test_nothing_yet() -> None:
    agreed = Agreements()
    assert not agreed
    assert agreed.service(SERVER, 2000, CLIENT, 0.0) is None
    assert not agreed.are_ports(np.array([0, 2000, 65535], np.uint16)).any()


def test_the_originator_opens_it() -> None:
    agreed = Agreements()
    agreed.note(passive(), CLIENT, SERVER, 100.0)
    assert agreed
    assert agreed.are_ports(np.array([2000, 2001], np.uint16)).tolist() == [True, False]
    assert agreed.service(SERVER, 2000, CLIENT, 100.0) == "ftp-data"
    assert agreed.service(SERVER, 2000, OTHER, 100.0) is None
    assert agreed.service(SERVER, 2001, CLIENT, 100.0) is None
    assert agreed.service(OTHER, 2000, CLIENT, 100.0) is None


def test_the_responder_opens_it() -> None:
    agreed = Agreements()
    agreed.note(Expectation("ftp-data", CLIENT, 2000, Opener.RESPONDER), CLIENT, SERVER, 0.0)
    assert agreed.service(CLIENT, 2000, SERVER, 1.0) == "ftp-data"
    assert agreed.service(CLIENT, 2000, OTHER, 1.0) is None


def test_anybody_opens_it_anywhere() -> None:
    agreed = Agreements()
    agreed.note(Expectation("irc-dcc-data", OTHER, 2000, Opener.ANYBODY), CLIENT, SERVER, 0.0)
    assert agreed.service(OTHER, 2000, (9, 9), 1.0) == "irc-dcc-data"
    assert agreed.service(SERVER, 2000, CLIENT, 1.0) is None


def test_it_has_to_begin_in_time() -> None:
    agreed = Agreements()
    agreed.note(passive(), CLIENT, SERVER, 100.0)
    assert agreed.service(SERVER, 2000, CLIENT, 99.0) is None
    assert agreed.service(SERVER, 2000, CLIENT, 399.9) == "ftp-data"
    assert agreed.service(SERVER, 2000, CLIENT, 400.0) is None


def test_the_last_agreement_counts() -> None:
    agreed = Agreements()
    agreed.note(passive(), CLIENT, SERVER, 0.0)
    agreed.note(Expectation("irc-dcc-data", SERVER, 2000, Opener.ANYBODY), CLIENT, SERVER, 1.0)
    assert agreed.service(SERVER, 2000, CLIENT, 2.0) == "irc-dcc-data"
    assert agreed.service(SERVER, 2000, CLIENT, 0.5) == "ftp-data"


def test_the_oldest_are_forgotten() -> None:
    agreed = Agreements()
    for address in range(agreements.MOST_REMEMBERED + 1):
        agreed.note(passive(address=(5, address)), CLIENT, SERVER, 0.0)
    assert agreed.service((5, 0), 2000, CLIENT, 1.0) is None
    assert agreed.service((5, 1), 2000, CLIENT, 1.0) == "ftp-data"
    agreed.note(passive(address=(6, 0)), CLIENT, SERVER, agreements.REMEMBERED)
    assert agreed.service((5, 1), 2000, CLIENT, 1.0) is None
    assert agreed.service((6, 0), 2000, CLIENT, agreements.REMEMBERED) == "ftp-data"
