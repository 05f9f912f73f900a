"""What all rules find in real traffic whose truth is known, and what they say of ordinary traffic.

    python -m benchmarks.detection.truths DIR

DIR has the layout that `CASES` names: public captures and logs of attacks, most of them published
by the Stratosphere laboratory of the Czech Technical University. A truth is found if a rule that
fits it says so of the right host, at medium or above; an end of it counts as found where the
finding is about it or its evidence names it. Whatever is said as loudly of other hosts counts as a
false alarm, scans from outside excepted.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

import analyzer
from analyzer.findings import Finding, Severity
from benchmarks.detection.figures import Figure, table

_MEDIUM = Severity.MEDIUM


@dataclass(frozen=True, slots=True)
class Truth:
    """What is known to have happened.

    Attributes:
        what: in words.
        rules: patterns of the rules that fit, separated by spaces.
        source: the host that did it.
        destination: the other end, where it is part of the truth.
        port: its port, likewise.
    """

    what: str
    rules: str
    source: str
    destination: str | None = None
    port: int | None = None

    def fits(self, finding: Finding) -> bool:
        """Whether a finding says this."""
        return (
            any(fnmatchcase(finding.rule, rule) for rule in self.rules.split())
            and finding.source == self.source
            and (
                self.destination in {None, finding.destination, finding.subject}
                or any(str(self.destination) in str(item) for item in finding.evidence)
            )
            and self.port in {None, finding.port}
        )


def _nmap(technique: str, source: str = "192.168.1.10", target: str = "192.168.1.25") -> Truth:
    return Truth(f"nmap: {technique}", "port_scan block_scan", source, target)


def _visitors(*addresses: str) -> tuple[Truth, ...]:
    return tuple(Truth(f"scanner {each}", "inbound_scan", each) for each in addresses)


CASES: dict[str, tuple[Truth, ...]] = {
    "zeek/njrat-beacon/conn.log": (
        Truth(
            "NjRAT, server gone",
            "beacon persistent_failure",
            "192.168.1.115",
            "41.108.179.197",
            1177,
        ),
    ),
    "zeek/nmap-scans": (Truth("nmap over three networks", "*_scan ping_sweep", "172.16.1.11"),),
    "zeek/android-rat-exfil": (
        Truth("42 MB stolen from a telephone", "*exfiltration", "10.8.0.61", "147.32.83.234", 1337),
    ),
    "zeek/simda-dga": (
        Truth("Simda: made-up names", "dga dns_nxdomain", "192.168.1.116"),
        Truth("the same over IPv6", "dga dns_nxdomain", "fd77:48a1:c0bb:0:b96c:506d:6c7f:e8be"),
        Truth("Simda: control server 104.239.157.210", "*", "192.168.1.116", "104.239.157.210"),
        Truth("Simda: control server 23.253.126.58", "*", "192.168.1.116", "23.253.126.58"),
    ),
    "zeek/mixed-labelled": _visitors(
        "104.156.155.13",
        "79.124.62.34",
        "79.124.62.110",
        "79.124.62.86",
        "218.75.31.110",
        "104.152.52.193",
        "185.156.72.48",
    ),
    "zeek/slips-horizontal-scan": (
        Truth("25 web servers that answer", "address_scan fan_out", "10.0.2.112", port=80),
    ),
    "zeek/slips-vertical-scan": (
        Truth("44 ports of a host", "port_scan", "192.168.1.9", "45.33.32.156"),
    ),
    "pcap/nmap-ack_scan.pcap": (_nmap("ACK scan"),),
    "pcap/nmap-fin_scan.pcap": (_nmap("FIN scan"),),
    "pcap/nmap-ftp_bounce_scan.pcap": (_nmap("FTP bounce", "192.168.1.25", "192.168.1.15"),),
    "pcap/nmap-ip_protocol_scan.pcap": (_nmap("IP protocols"),),
    "pcap/nmap-null_scan.pcap": (_nmap("NULL scan"),),
    "pcap/nmap-rpc_scan.pcap": (_nmap("RPC scan"),),
    "pcap/nmap-tcp_connect_scan.pcap": (_nmap("connect scan"),),
    "pcap/nmap-tcp_syn_scan.pcap": (_nmap("SYN scan"),),
    "pcap/nmap-udp_scan.pcap": (_nmap("UDP scan"),),
    "pcap/nmap-version_scan.pcap": (_nmap("version scan"),),
    "pcap/nmap-window_scan.pcap": (_nmap("window scan"),),
    "pcap/nmap-xmas_tree_scan.pcap": (_nmap("Xmas scan"),),
    "pcap/nmap-xscan_capture.pcap": (_nmap("X-Scan", "192.168.1.125", "192.168.1.120"),),
    "pcap/icmp-sweep.pcap": (Truth("ping sweep", "ping_sweep address_scan", "192.168.1.109"),),
    "pcap/test-cc-capture-1.pcap": (
        Truth("scripted beacon, every 2 s", "beacon", "147.32.80.37", "141.193.213.21"),
    ),
    "pcap/test-cc-capture-2.pcap": (
        Truth("scripted beacon, 22 calls", "beacon", "147.32.80.37", "141.193.213.20"),
    ),
    "pcap/test7-malicious.pcap": tuple(
        Truth(f"IoT bot, port {port}", "address_scan", "192.168.2.16", port=port)
        for port in (23, 8080, 2323)
    ),
    "pcap/tunnel-iodine-cname.pcap": (
        Truth("iodine", "dns_tunnel", "192.168.117.128", "ggy666.tk"),
    ),
    "pcap/tunnel-dnscat2-cname.pcap": (
        Truth("dnscat2", "dns_tunnel", "192.168.68.62", "ggy666.tk"),
    ),
    "zeek/m57-benign": (),
    "pcap/dns-normal-00.pcap": (),
    "pcap/dns-normal-03.pcap": (),
    "pcap/dns-normal-05.pcap": (),
}
"""The truths of each log or capture, none where it is ordinary traffic."""


def _said(finding: Finding) -> str:
    return f"{finding.severity} {finding.score:.2f} {finding.rule}: {finding.message}"


def _is_alarm(finding: Finding, guilty: set[str]) -> bool:
    """Whether a finding is about a host that did nothing.

    A host that took part in an attack is no false alarm, nor is an outside host that scans.
    """
    return finding.source not in guilty and finding.rule != "inbound_scan"


def measure(directory: Path) -> list[Figure]:
    """Truths found at medium or above, with what says so, and false alarms.

    Args:
        directory: where the data lie; what is missing there is left out.
    """
    figures: list[Figure] = []
    false: dict[bool, list[str]] = {True: [], False: []}
    read = dict.fromkeys(false, 0)
    for path, truths in CASES.items():
        if not (directory / path).exists():
            continue
        findings = analyzer.analyze(directory / path).findings
        for truth in truths:
            fitting = [each for each in findings if truth.fits(each)]
            loudest = max(fitting, key=lambda each: each.score, default=None)
            found = loudest is not None and loudest.severity >= _MEDIUM
            notes = () if loudest is None else (_said(loudest),)
            figures.append(Figure(f"{path}: {truth.what}"[-58:], 1.0, float(found), notes=notes))
        guilty = {truth.source for truth in truths}
        alarms = [e for e in findings if e.severity >= _MEDIUM and _is_alarm(e, guilty)]
        read[bool(truths)] += 1
        false[bool(truths)] += [f"{path}: {_said(each)}" for each in alarms]
    reached = sum(each.reached for each in figures) / max(len(figures), 1)
    return [
        *figures,
        Figure(f"share of all {len(figures)} truths", None, reached),
        *(
            Figure(
                f"others at medium or above, {read[attacked]} {what}",
                0.0,
                len(alarms),
                at_most=True,
                notes=tuple(alarms),
            )
            for attacked, what, alarms in (
                (True, "captures of attacks", false[True]),
                (False, "captures of ordinary traffic", false[False]),
            )
        ),
    ]


def main() -> None:
    """Print what is found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, help="directory of the captures and logs")
    print(table(measure(parser.parse_args().data)))


if __name__ == "__main__":
    main()
