"""The detectors, one file each. The order is the order in which their findings are computed."""

from __future__ import annotations

from analyzer.detectors import (
    anomalous_connection,
    beacon,
    brute_force,
    burst,
    compromised_host,
    dga,
    dns_habits,
    dns_long_name,
    dns_nxdomain,
    dns_transfer,
    dns_tunnel,
    dns_type,
    dns_volume,
    duration_outlier,
    exfiltration,
    fan_out,
    icmp_tunnel,
    intelligence,
    lateral_chain,
    lateral_movement,
    long_connection,
    network_volume,
    new_application,
    new_port,
    new_service,
    off_hours,
    outside_hosts,
    persistent_failure,
    port_share,
    producer_consumer,
    protocol_mix,
    scan,
    strobe,
    unusual_fan_out,
    volume,
)
from analyzer.detectors.detection import (
    Accumulation,
    Accumulator,
    Detection,
    Detector,
    Shared,
)

DETECTORS: dict[str, Detector] = {
    detector.name: detector
    for detector in (
        scan.DETECTOR,
        fan_out.DETECTOR,
        burst.DETECTOR,
        dga.DETECTOR,
        dns_tunnel.DETECTOR,
        beacon.DETECTOR,
        dns_long_name.DETECTOR,
        dns_volume.DETECTOR,
        dns_nxdomain.DETECTOR,
        dns_transfer.DETECTOR,
        dns_type.DETECTOR,
        persistent_failure.DETECTOR,
        long_connection.DETECTOR,
        strobe.DETECTOR,
        exfiltration.DETECTOR,
        icmp_tunnel.DETECTOR,
        brute_force.DETECTOR,
        lateral_movement.DETECTOR,
        lateral_chain.DETECTOR,
        intelligence.DETECTOR,
        protocol_mix.DETECTOR,
        new_port.DETECTOR,
        port_share.DETECTOR,
        dns_habits.DETECTOR,
        outside_hosts.DETECTOR,
        duration_outlier.DETECTOR,
        producer_consumer.DETECTOR,
        anomalous_connection.DETECTOR,
        volume.DETECTOR,
        network_volume.DETECTOR,
        off_hours.DETECTOR,
        unusual_fan_out.DETECTOR,
        new_application.DETECTOR,
        new_service.DETECTOR,
    )
}
"""Every detector by the name that rules use."""

ACCUMULATORS: dict[str, Accumulator] = {
    accumulator.name: accumulator for accumulator in (compromised_host.ACCUMULATOR,)
}
"""What judges their findings, likewise."""

PARAMETERS: dict[str, type] = {
    **{name: detector.parameters for name, detector in DETECTORS.items()},
    **{name: accumulator.parameters for name, accumulator in ACCUMULATORS.items()},
}
"""The parameters of all of them."""

__all__ = [
    "ACCUMULATORS",
    "DETECTORS",
    "PARAMETERS",
    "Accumulation",
    "Accumulator",
    "Detection",
    "Detector",
    "Shared",
]
