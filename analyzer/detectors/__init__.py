"""The detectors, one file each. The order is the order in which their findings are computed."""

from __future__ import annotations

from analyzer.detectors import (
    burst,
    dns_long_name,
    dns_nxdomain,
    dns_transfer,
    dns_tunnel,
    dns_type,
    dns_volume,
    fan_out,
    scan,
)
from analyzer.detectors.detection import Detection, Detector, Shared

DETECTORS: dict[str, Detector] = {
    detector.name: detector
    for detector in (
        scan.DETECTOR,
        fan_out.DETECTOR,
        burst.DETECTOR,
        dns_tunnel.DETECTOR,
        dns_long_name.DETECTOR,
        dns_volume.DETECTOR,
        dns_nxdomain.DETECTOR,
        dns_transfer.DETECTOR,
        dns_type.DETECTOR,
    )
}
"""Every detector by the name that rules use."""

__all__ = ["DETECTORS", "Detection", "Detector", "Shared"]
