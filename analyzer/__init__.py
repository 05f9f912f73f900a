"""Find what is wrong in Zeek logs: scans, bursts, tunnels; with ATT&CK techniques and evidence.

>>> import analyzer
>>> report = analyzer.analyze(["/opt/zeek/logs/2026-01-19"])      # doctest: +SKIP
>>> for finding in report.findings:                               # doctest: +SKIP
...     print(finding.severity, finding.message)
>>> report.dataframe()                                            # doctest: +SKIP
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyzer.errors import AnalyzerError
from analyzer.findings import Evidence, Finding, Severity
from analyzer.report import HostRank, Report
from analyzer.version import __version__

if TYPE_CHECKING:
    from analyzer.api import analyze, load_rules

__all__ = [
    "AnalyzerError",
    "Evidence",
    "Finding",
    "HostRank",
    "Report",
    "Severity",
    "__version__",
    "analyze",
    "load_rules",
]


if not TYPE_CHECKING:  # or any name at all would have a type

    def __getattr__(name: str) -> object:
        # DuckDB, Ibis and pandas take a second to import: --help and --version need none of them.
        if name in ("analyze", "load_rules"):
            from analyzer import api  # noqa: PLC0415 - see above

            return getattr(api, name)
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
