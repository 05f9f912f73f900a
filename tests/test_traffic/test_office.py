"""What the generator makes: determinism, consistency, and the truth about attacks."""

from __future__ import annotations

import pandas as pd
import pytest

from tests.traffic import ATTACKS, MONDAY, Attack, Traffic, office
from tests.traffic.columns import TYPES

HOSTS = 20
DAYS = 0.75

# rows of conn and of dns that each attack adds with its default parameters
ROWS = {
    "address_scan": (120, 0),
    "slow_scan": (20, 0),
    "port_scan": (200, 0),
    "block_scan": (400, 0),
    "answered_scan": (60, 0),
    "udp_scan": (80, 0),
    "icmp_sweep": (100, 0),
    "connection_burst": (3000, 0),
    "byte_burst": (1, 0),
    "dns_tunnel": (600, 600),
    "slow_dns_tunnel": (504, 504),
    "dga": (120, 120),
    "exfiltration": (1, 0),
    "chunked_exfiltration": (60, 0),
    "lateral_movement": (32, 0),
    "brute_force": (150, 0),
    "icmp_tunnel": (12, 0),
    "off_hours": (40, 0),
    "new_port": (15, 0),
    "new_protocol": (10, 0),
}


def added(benign: pd.DataFrame, attacked: pd.DataFrame) -> pd.DataFrame:
    return attacked[~attacked["uid"].isin(benign["uid"])]


@pytest.fixture(scope="module")
def quiet() -> Traffic:
    return office(7, hosts=HOSTS, days=DAYS)


def stranger(name: str) -> str:
    """Give each attack a source of its own that does nothing else."""
    return f"10.20.200.{1 + sorted(ROWS).index(name)}"


@pytest.fixture(scope="module")
def sorted_out() -> Traffic:
    return office(
        3,
        hosts=20,
        days=0.3,
        attacks=[Attack(name, source=stranger(name)) for name in sorted(ROWS)],
    )


@pytest.fixture(scope="module")
def noisy() -> Traffic:
    return office(7, hosts=HOSTS, days=DAYS, attacks=list(ATTACKS), internet_noise=True)


def test_same_seed_gives_the_same_tables(quiet: Traffic) -> None:
    again = office(7, hosts=HOSTS, days=DAYS)
    for table, other in ((quiet.conn, again.conn), (quiet.dns, again.dns), (quiet.ssl, again.ssl)):
        pd.testing.assert_frame_equal(table, other)


def test_another_seed_gives_other_traffic(quiet: Traffic) -> None:
    other = office(8, hosts=HOSTS, days=DAYS)
    assert not set(quiet.conn["uid"]) & set(other.conn["uid"])


@pytest.mark.parametrize("log", ["conn", "dns", "ssl"])
def test_attacks_leave_benign_rows_as_they_were(quiet: Traffic, noisy: Traffic, log: str) -> None:
    benign, attacked = getattr(quiet, log), getattr(noisy, log)
    kept = attacked[attacked["uid"].isin(benign["uid"])].reset_index(drop=True)
    pd.testing.assert_frame_equal(kept, benign)


def test_columns_are_those_of_zeek(quiet: Traffic) -> None:
    assert list(quiet.conn.columns) == list(TYPES["conn"])
    assert list(quiet.dns.columns) == list(TYPES["dns"])
    assert list(quiet.ssl.columns) == list(TYPES["ssl"])
    assert len(quiet.conn.columns) == 22
    assert len(quiet.dns.columns) == 26


def test_every_activity_shows(noisy: Traffic) -> None:
    services = set(noisy.conn["service"].dropna())
    assert {
        "dns",
        "ssl",
        "http",
        "quic",
        "ntp",
        "smtp",
        "ssh",
        "snmp",
        "dhcp",
        "gssapi,smb",
        "krb_tcp",
    } <= services
    assert {"SF", "S0", "REJ", "RSTO", "RSTR", "S1", "OTH"} == set(noisy.conn["conn_state"])
    assert {"A", "AAAA", "HTTPS", "MX", "PTR", "NB", "NULL", "TXT"} <= set(noisy.dns["qtype_name"])
    assert noisy.conn["ip_proto"].isin([1, 6, 17]).all()
    assert noisy.conn["id.orig_h"].str.startswith("fd00:").any()


@pytest.mark.parametrize("name", sorted(ROWS))
def test_an_attack_adds_its_rows_and_its_truth(sorted_out: Traffic, name: str) -> None:
    conn = sorted_out.conn[sorted_out.conn["id.orig_h"] == stranger(name)]
    dns = sorted_out.dns[sorted_out.dns["id.orig_h"] == stranger(name)]
    assert (len(conn), len(dns)) == ROWS[name]
    (truth,) = (truth for truth in sorted_out.truth if truth.source == stranger(name))
    assert truth.attack == name
    assert truth.technique.startswith("T1")
    if truth.port is not None:
        assert set(conn["id.resp_p"]) == {truth.port}
    if truth.destination is not None and len(dns):
        assert dns["query"].str.endswith("." + truth.destination).all()
    elif truth.destination is not None:
        assert set(conn["id.resp_h"]) == {truth.destination}
    assert truth.start == conn["ts"].min()
    assert truth.end == pytest.approx((conn["ts"] + conn["duration"].fillna(0)).max(), abs=1e-5)


def test_beacon_rows() -> None:
    beacon = Attack("beacon", interval=60.0, jitter=0.0, duration=3600.0, source="10.20.1.12")
    quiet = office(3, hosts=16, days=0.5)
    traffic = office(
        3, hosts=16, days=0.5, attacks=[beacon, Attack("failed_beacon", interval=100.0, jitter=0.0)]
    )
    conn = added(quiet.conn, traffic.conn)
    alive, dead = traffic.truth
    calls = conn[conn["id.resp_h"] == alive.destination].sort_values("ts")
    assert len(calls) == 61
    assert set(calls["id.orig_h"]) == {"10.20.1.12"} == {alive.source}
    assert calls["ts"].diff().dropna().round(5).eq(60.0).all()
    names = traffic.ssl[traffic.ssl["uid"].isin(calls["uid"])]["server_name"]
    assert names.tolist() == ["cdn-status.brackenfeed.com"] * 61
    tries = conn[conn["id.resp_h"] == dead.destination]
    assert len(tries) == int((43200 - 600) / 100) + 1
    assert set(tries["conn_state"]) == {"S0"}
    assert added(quiet.dns, traffic.dns)["query"].tolist() == ["cdn-status.brackenfeed.com"]


def test_attack_parameters() -> None:
    traffic = office(
        3,
        hosts=16,
        days=0.5,
        attacks=[
            Attack("slow_scan", targets=12, duration=4 * 3600.0, port=23, refused=0.0),
            Attack("slow_scan", targets=30, duration=3600.0, port=2222, source="10.20.1.13"),
        ],
    )
    first = traffic.conn[traffic.conn["id.resp_p"] == 23]
    second = traffic.conn[traffic.conn["id.resp_p"] == 2222]
    assert first["id.resp_h"].nunique() == len(first) == 12
    assert set(first["conn_state"]) == {"S0"}
    assert second["id.resp_h"].nunique() == len(second) == 30
    assert set(second["id.orig_h"]) == {"10.20.1.13"}
    with pytest.raises(ValueError, match="no attack is named 'slwo_scan'"):
        office(3, hosts=16, attacks=["slwo_scan"])
    with pytest.raises(ValueError, match="other users' hosts"):
        office(3, hosts=16, days=0.1, attacks=["lateral_movement"])
    with pytest.raises(TypeError, match="target"):
        office(3, hosts=16, days=0.1, attacks=[Attack("slow_scan", target=3)])


def test_attacks_come_from_users_hosts(noisy: Traffic) -> None:
    assert [truth.attack for truth in noisy.truth] == list(ATTACKS)
    assert {truth.source.rpartition(".")[0] for truth in noisy.truth} == {"10.20.1"}


def test_columns_agree_with_one_another(noisy: Traffic) -> None:
    conn = noisy.conn
    assert conn["uid"].is_unique
    assert conn["uid"].str.fullmatch("C[0-9A-Za-z]{17}").all()
    single = conn["orig_pkts"] + conn["resp_pkts"] == 1
    assert (conn["duration"].isna() == single).all()
    assert (conn["orig_bytes"].isna() == single).all()
    assert (conn["resp_bytes"].isna() == single).all()
    assert (conn["duration"].dropna() > 0).all()

    ipv6 = conn["id.orig_h"].str.contains(":")
    assert (ipv6 == conn["id.resp_h"].str.contains(":")).all()
    header = conn["proto"].map({"tcp": 40, "udp": 28, "icmp": 28}) + 20 * ipv6
    for side in ("orig", "resp"):
        spare = (
            conn[f"{side}_ip_bytes"]
            - conn[f"{side}_bytes"].fillna(0)
            - conn[f"{side}_pkts"] * header
        )
        assert (spare >= 0).all()
        assert ((spare == 0) | single | (conn["proto"] == "tcp")).all()

    tcp = conn[conn["proto"] == "tcp"]
    states = tcp.groupby("conn_state")
    assert set(states.get_group("S0")["history"]) == {"S"}
    assert (states.get_group("S0")["resp_pkts"] == 0).all()
    assert set(states.get_group("REJ")["history"]) == {"Sr"}
    assert (states.get_group("REJ")["resp_ip_bytes"] >= 40).all()
    assert states.get_group("SF")["history"].str.contains("F.*f|f.*F", regex=True).all()
    assert states.get_group("RSTO")["history"].str.endswith("R").all()
    assert states.get_group("RSTR")["history"].str.endswith("r").all()
    assert (tcp["history"].str.contains("D") == (tcp["orig_bytes"].fillna(0) > 0)).all()
    assert (tcp["history"].str.contains("d") == (tcp["resp_bytes"].fillna(0) > 0)).all()
    udp = conn[conn["proto"] == "udp"]
    assert (udp["history"] == udp["conn_state"].map({"SF": "Dd", "S0": "D"})).all()
    assert ((udp["resp_pkts"] == 0) == (udp["conn_state"] == "S0")).all()
    icmp = conn[conn["proto"] == "icmp"]
    assert icmp["history"].isna().all()
    assert (icmp["conn_state"] == "OTH").all()
    private = conn["id.orig_h"].str.match(r"10\.|fd00:")
    assert (conn["local_orig"] == private).all()


def test_lookups_and_handshakes_belong_to_connections(noisy: Traffic) -> None:
    endpoints = ["uid", "id.orig_h", "id.orig_p", "id.resp_h", "id.resp_p"]
    conn = noisy.conn.set_index("uid", drop=False)
    for table, service in ((noisy.dns, {"dns"}), (noisy.ssl, {"ssl", "quic"})):
        carriers = conn.loc[table["uid"]]
        assert set(carriers["service"]) == service
        pd.testing.assert_frame_equal(
            carriers[endpoints].reset_index(drop=True), table[endpoints].reset_index(drop=True)
        )
    dns = noisy.dns
    assert (dns["rtt"].isna() == dns["answers"].isna()).all()
    assert (dns["RA"] == dns["answers"].notna()).all()
    assert [len(texts) for texts in dns["answers"].dropna()] == [
        len(ttls) for ttls in dns["TTLs"].dropna()
    ]
    assert (dns["qtype_name"] == "NB").eq(dns["id.resp_p"] == 137).all()


def test_rows_stand_in_the_order_of_logging(noisy: Traffic) -> None:
    assert (noisy.conn["ts"] + noisy.conn["duration"].fillna(0)).is_monotonic_increasing
    assert noisy.ssl["ts"].is_monotonic_increasing


def test_weekends_and_nights_are_quiet() -> None:
    week = office(5, hosts=16, days=7)
    pages = week.ssl[
        week.ssl["server_name"].str.startswith("www.")
        & ~week.ssl["server_name"].str.endswith("example")
    ]
    day = ((pages["ts"] - MONDAY) // 86400).value_counts()
    hour = (pages["ts"] % 86400 // 3600).value_counts()
    assert day[[5, 6]].sum() < 0.2 * day[[0, 1]].sum()
    assert hour.reindex(range(5), fill_value=0).sum() < 0.02 * len(pages)


def test_failures_are_a_few_in_a_hundred(quiet: Traffic) -> None:
    conn = quiet.conn
    browsing = conn[
        (conn["proto"] == "tcp") & ~conn["local_resp"] & conn["id.resp_p"].isin([80, 443])
    ]
    share = browsing["conn_state"].isin(["S0", "REJ"]).mean()
    assert 0.01 < share < 0.05


def test_internet_noise_is_off_by_default(quiet: Traffic, noisy: Traffic) -> None:
    assert not (~quiet.conn["local_orig"] & (quiet.conn["id.resp_p"] == 2323)).any()
    assert (~noisy.conn["local_orig"] & (noisy.conn["id.resp_p"] == 2323)).any()


def test_scale_makes_people_busier(quiet: Traffic) -> None:
    busy = office(7, hosts=HOSTS, days=DAYS, scale=3.0)
    assert 2.0 < len(busy.ssl) / len(quiet.ssl) < 3.2
