"""Find what is wrong in Zeek logs and captures, with ATT&CK techniques and evidence.

>>> import analyzer
>>> report = analyzer.analyze(["/opt/zeek/logs/2026-01-19"])      # doctest: +SKIP
>>> for finding in report.findings:                               # doctest: +SKIP
...     print(finding.severity, finding.message)
>>> report.dataframe()                                            # doctest: +SKIP
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyzer.allowlist import Allowlist, read_allowlists
from analyzer.errors import AnalyzerError
from analyzer.findings import Evidence, Finding, Severity
from analyzer.hosts import HostRank
from analyzer.report import Report
from analyzer.version import __version__

if TYPE_CHECKING:
    from analyzer.api import analyze, load_rules
    from analyzer.conversion import Conversion, convert
    from analyzer.evaluation import Evaluation, evaluate
    from analyzer.learned import Learned
    from analyzer.learning import learn

__all__ = [
    "Allowlist",
    "AnalyzerError",
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
]


if not TYPE_CHECKING:  # or any name at all would have a type

    def __getattr__(name: str) -> object:
        # DuckDB, Ibis and pandas take a second to import: --help and --version need none of them.
        if name in ("analyze", "load_rules"):
            from analyzer import api  # noqa: PLC0415 - see above

            return getattr(api, name)
        if name in ("Conversion", "convert"):
            from analyzer import conversion  # noqa: PLC0415 - likewise of the compiler

            return getattr(conversion, name)
        if name in ("Evaluation", "evaluate"):
            from analyzer import evaluation  # noqa: PLC0415 - see above

            return getattr(evaluation, name)
        if name in ("Learned", "learn"):
            from analyzer import learning  # noqa: PLC0415 - see above

            return getattr(learning, name)
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
