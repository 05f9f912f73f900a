"""The detectors, one file each. The order is the order in which their findings are computed."""

from __future__ import annotations

from analyzer.detectors import (
    burst,
    dns_tunnel,
    exfiltration,
    fan_out,
    icmp_tunnel,
    long_connection,
    persistent_failure,
    scan,
    strobe,
)
from analyzer.detectors.detection import Detection, Detector, Shared

DETECTORS: dict[str, Detector] = {
    detector.name: detector
    for detector in (
        scan.DETECTOR,
        fan_out.DETECTOR,
        burst.DETECTOR,
        dns_tunnel.DETECTOR,
        exfiltration.DETECTOR,
        icmp_tunnel.DETECTOR,
        persistent_failure.DETECTOR,
        long_connection.DETECTOR,
        strobe.DETECTOR,
    )
}
"""Every detector by the name that rules use."""

__all__ = ["DETECTORS", "Detection", "Detector", "Shared"]
