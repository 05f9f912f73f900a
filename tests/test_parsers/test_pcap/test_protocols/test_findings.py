from __future__ import annotations

from analyzer.parsers.pcap.protocols.findings import Expectation, Findings, Opener


class Finisher:
    is_finished = False

    def finish(self) -> None:
        self.is_finished = True


def test_services_come_in_the_order_in_which_they_were_confirmed() -> None:
    findings = Findings()
    findings.confirm("ntlm")
    findings.confirm("gssapi")
    findings.confirm("ntlm")
    assert findings.services == []
    findings.settle()
    assert findings.services == ["ntlm", "gssapi"]


def test_a_violation_takes_back_and_finishes() -> None:
    findings, reader = Findings(["http", "ssl"]), Finisher()
    findings.violate("http", reader)
    assert not reader.is_finished
    findings.settle()
    assert findings.services == ["ssl"]
    assert reader.is_finished


def test_what_is_sure_after_a_violation_stays() -> None:
    findings = Findings()
    findings.violate("dce_rpc")
    findings.confirm("dce_rpc")
    findings.settle()
    assert findings.services == ["dce_rpc"]


def test_violations_are_forgiven_after_ten_kibibytes() -> None:
    findings, reader = Findings(["http"], size=10 * 1024), Finisher()
    findings.violate("http", reader)
    findings.settle()
    assert findings.services == []
    findings = Findings(["http"], size=10 * 1024 + 1)
    findings.violate("http", reader)
    findings.settle()
    assert findings.services == ["http"]
    assert reader.is_finished


def test_what_is_withdrawn_was_never_confirmed() -> None:
    findings = Findings(["http", "dns"], is_changed=False)
    findings.confirm("dns")
    findings.withdraw("dns")
    assert findings.services == ["http"]
    assert findings.is_changed
    findings.settle()
    assert findings.services == ["http"]
    findings.withdraw("ssl")
    assert findings.services == ["http"]


def test_known_is_what_has_a_service_or_will_have() -> None:
    findings = Findings()
    known = [findings.is_known]
    findings.violate("ssl")
    known.append(findings.is_known)
    findings.confirm("http")
    known.append(findings.is_known)
    findings.settle()
    known.append(findings.is_known)
    assert known == [False, False, True, True]


def test_changes_are_told() -> None:
    findings = Findings(is_changed=False)
    findings.settle()
    assert not findings.is_changed
    findings.confirm("http")
    findings.settle()
    assert findings.is_changed


def test_the_first_name_stays() -> None:
    findings = Findings()
    findings.name_server(b"")
    findings.name_server(b"one.example")
    findings.name_server(b"two.example")
    assert findings.server_name == b"one.example"


def test_expectations_are_bounded() -> None:
    findings = Findings()
    for port in range(1000):
        findings.expect(Expectation("ftp-data", None, port, Opener.ANYBODY))
    assert len(findings.expected) == 64
