"""The loops over packets, compiled: plain Python that numba turns into machine code.

The code is compiled the first time it runs and loaded from numba's cache afterwards (beside the
source, or in the user's cache directory where that cannot be written to).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import ParamSpec, TypeVar, cast

import numba

_Arguments = ParamSpec("_Arguments")
_Result = TypeVar("_Result")


def compiled(function: Callable[_Arguments, _Result]) -> Callable[_Arguments, _Result]:
    """A function over scalars and arrays, compiled without Python objects and without the GIL.

    Arrays are not checked for bounds, so the function has to: input comes from attackers. Run tests
    with ``NUMBA_BOUNDSCHECK=1`` to see that it does.
    """
    return cast(
        "Callable[_Arguments, _Result]",
        numba.njit(cache=True, nogil=True, error_model="numpy")(function),
    )
