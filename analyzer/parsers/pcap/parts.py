"""A large compiled loop and the functions it is made of, compiled in half of numba's usual time.

numba runs many passes over each function that plain loops over arrays and records do not need, and
makes an entry from Python and one from C for each, which the parts of a loop are never called by.
The passes left out are those for closures, generators, array expressions, constants as types and
parallel loops (https://numba.readthedocs.io/en/stable/developer/custom_pipeline.html).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ParamSpec, TypeVar, cast

import numba
import numpy as np

from analyzer.parsers.pcap.compiled import kept

_Arguments = ParamSpec("_Arguments")
_Result = TypeVar("_Result")

# Not all that numba takes is in its types.
_njit = cast("Any", numba.njit)

_NO_ENTRIES = {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}


def _options() -> dict[str, object]:
    """What makes compiling brief: nothing where numba has changed inside, so it takes longer."""
    try:
        from numba.core.compiler import CompilerBase  # noqa: PLC0415 - it may not be there
        from numba.core.compiler_machinery import PassManager  # noqa: PLC0415
        from numba.core.typed_passes import (  # noqa: PLC0415
            IRLegalization,
            NativeLowering,
            NoPythonBackend,
            NopythonTypeInference,
            PreLowerStripPhis,
        )
        from numba.core.untyped_passes import (  # noqa: PLC0415
            FixupArgs,
            InlineInlinables,
            IRProcessing,
            ReconstructSSA,
            TranslateByteCode,
        )
    except ImportError:
        return {}
    manager = cast("Any", PassManager)

    class BriefCompiler(CompilerBase):
        """Only the passes without which plain code does not become machine code."""

        def define_pipelines(self) -> list[Any]:
            passes = manager("brief")
            for step in (
                TranslateByteCode, FixupArgs, IRProcessing, InlineInlinables, ReconstructSSA,
                NopythonTypeInference, PreLowerStripPhis, IRLegalization, NativeLowering,
                NoPythonBackend,
            ):  # fmt: skip
                passes.add_pass(step, step.__name__)
            passes.finalize()
            return [passes]

    # No array is made in here, so none is counted: each count would be a locked operation.
    return {"_nrt": False, "pipeline_class": BriefCompiler}


_BRIEF = _options()
_PLAIN: dict[str, object] = {"nogil": True, "error_model": "numpy"}


def _compiled(
    function: Callable[_Arguments, _Result], options: Mapping[str, object]
) -> Callable[_Arguments, _Result]:
    compile_it = _njit(**_PLAIN, **_BRIEF, **options)
    return cast("Callable[_Arguments, _Result]", compile_it(function))


def loop(function: Callable[_Arguments, _Result]) -> Callable[_Arguments, _Result]:
    """What Python calls: kept in numba's cache, with all its parts.

    As for :func:`~.compiled.compiled`, arrays are not checked for bounds.
    """
    return cast("Callable[_Arguments, _Result]", kept(function, _PLAIN | _BRIEF))


def part(function: Callable[_Arguments, _Result]) -> Callable[_Arguments, _Result]:
    """A function that compiled code calls; the optimizer decides where it is inlined."""
    return _compiled(function, _NO_ENTRIES)


def inlined(function: Callable[_Arguments, _Result]) -> Callable[_Arguments, _Result]:
    """A part that becomes a piece of its callers' bodies, as it is in the middle of a loop."""
    return _compiled(function, {**_NO_ENTRIES, "forceinline": True})


def expanded(function: Callable[_Arguments, _Result]) -> Callable[_Arguments, _Result]:
    """A few lines that are written into their callers before these are compiled."""
    return cast("Callable[_Arguments, _Result]", numba.njit(inline="always")(function))


wide = cast("Callable[[object], int]", np.int64)
"""A number of any width as 64 bits, which is what parts take: each other width is one more part."""


def number(value: int) -> int:
    """A constant to call parts with: numba would compile them anew for each Python number."""
    return wide(value)
