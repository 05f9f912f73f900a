"""What a host is for, from what it does: whose habits stand in where a host's own are not known."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    from analyzer.baseline.baseline import Baseline

SERVER, WORKSTATION, DEVICE = "server", "workstation", "device"

# Hosts a day that a server answers on one port: fewer may be neighbours who found each other.
_CLIENTS = 3

# Registered domains that a person's host asks for on a day: what a machine needs by itself (time,
# updates, telemetry) are a handful of names, while one visit to a web page asks for a dozen.
_DOMAINS = 20


def roles(baseline: Baseline) -> pd.Series[str]:
    """The role of every source, by address.

    A server answers several hosts on one port; a workstation asks for many domains on some day; all
    else (printers, cameras, appliances, hosts that are rarely on) is a device.
    """
    offered, lookups = baseline["offered"], baseline["lookups"]
    serving = set(offered.source[offered.clients >= _CLIENTS].unique())
    asking = set(lookups.source[lookups.domains >= _DOMAINS].unique())
    present = set(baseline["hours"].source.unique())
    every = pd.Index(sorted(present | serving | asking), name="source", dtype="str")
    role = pd.Series(DEVICE, index=every, name="role", dtype="str")
    role[every.isin(asking)] = WORKSTATION
    role[every.isin(serving)] = SERVER
    return role
