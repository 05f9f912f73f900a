"""Find what is wrong in Zeek logs and captures, with ATT&CK techniques and evidence.

>>> import analyzer
>>> report = analyzer.analyze(["/opt/zeek/logs/2026-01-19"])      # doctest: +SKIP
>>> for finding in report.findings:                               # doctest: +SKIP
...     print(finding.severity, finding.message)
>>> report.dataframe()                                            # doctest: +SKIP
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from analyzer.allowlist import Allowlist, read_allowlists
from analyzer.errors import AnalyzerError
from analyzer.findings import Evidence, Finding, Severity
from analyzer.hosts import HostRank
from analyzer.report import Report
from analyzer.version import __version__

if TYPE_CHECKING:
    from analyzer.api import analyze, load_rules
    from analyzer.baseline.baseline import Baseline
    from analyzer.baseline.file import read_baseline, write_baseline
    from analyzer.conversion import Conversion, convert
    from analyzer.evaluation import Evaluation, evaluate
    from analyzer.learned import Learned
    from analyzer.learning import learn

__all__ = [
    "Allowlist",
    "AnalyzerError",
    "Baseline",
    "Conversion",
    "Evaluation",
    "Evidence",
    "Finding",
    "HostRank",
    "Learned",
    "Report",
    "Severity",
    "__version__",
    "analyze",
    "convert",
    "evaluate",
    "learn",
    "load_rules",
    "read_allowlists",
    "read_baseline",
    "write_baseline",
]


# DuckDB, Ibis and pandas take a second to import: --help and --version need none of them.
_LATER = {
    "Baseline": "baseline.baseline",
    "Conversion": "conversion",
    "Evaluation": "evaluation",
    "Learned": "learned",
    "analyze": "api",
    "convert": "conversion",
    "evaluate": "evaluation",
    "learn": "learning",
    "load_rules": "api",
    "read_baseline": "baseline.file",
    "write_baseline": "baseline.file",
}

if not TYPE_CHECKING:  # or any name at all would have a type

    def __getattr__(name: str) -> object:
        if name in _LATER:
            return getattr(import_module(f"{__name__}.{_LATER[name]}"), name)
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
