"""The loops over packets, compiled: plain Python that numba turns into machine code.

The code is compiled the first time it runs and loaded from numba's cache afterwards (beside the
source, or in the user's cache directory where that cannot be written to).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, ParamSpec, TypeVar, cast

import numba

_Arguments = ParamSpec("_Arguments")
_Result = TypeVar("_Result")


def compiled(function: Callable[_Arguments, _Result]) -> Callable[_Arguments, _Result]:
    """A function over scalars and arrays, compiled without Python objects and without the GIL.

    Arrays are not checked for bounds, so the function has to: input comes from attackers. Run tests
    with ``NUMBA_BOUNDSCHECK=1`` to see that it does.
    """
    dispatcher = kept(function, {"nogil": True, "error_model": "numpy"})
    return cast("Callable[_Arguments, _Result]", dispatcher)


def kept(function: Callable[..., Any], options: Mapping[str, object]) -> Any:  # noqa: ANN401
    """A function as numba compiles and keeps it; it is not kept where nothing can be written."""
    compiler = cast("Any", numba.njit)
    try:
        return stamped(compiler(cache=True, **options)(function))
    except RuntimeError:
        # Neither beside the source nor in the user's cache directory.
        return compiler(**options)(function)


def stamped(dispatcher: Any) -> Any:  # noqa: ANN401 - numba has no types
    """A compiled function that is compiled anew when any file of this package has changed.

    numba looks at the function's own file only, though what it calls is compiled into it.
    """
    kept: Any = getattr(getattr(dispatcher, "_cache", None), "_cache_file", None)
    if hasattr(kept, "_source_stamp"):
        kept._source_stamp = source_stamp()  # noqa: SLF001 - there is no other way
    return dispatcher


@cache
def source_stamp() -> tuple[float, int]:
    """When a file of this package was changed last, and how large all are together."""
    states = [path.stat() for path in Path(__file__).parent.rglob("*.py")]
    return max(state.st_mtime for state in states), sum(state.st_size for state in states)
