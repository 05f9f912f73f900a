"""A model's files: arrays in ``NAME.npz``, and a card in ``NAME.json`` that says what they are.

Arrays are never unpickled, and they must be the ones that the card was written for.
"""

from __future__ import annotations

import hashlib
import io
import json
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from analyzer.errors import ModelError

Arrays = dict[str, npt.NDArray[Any]]


def load_model(name: str) -> tuple[Arrays, dict[str, Any]]:
    """The arrays and the card of a model that ships with the package.

    Raises:
        ModelError: a file is missing or damaged, or the arrays are not the card's.
    """
    folder = resources.files("analyzer.models")
    try:
        card = json.loads(folder.joinpath(f"{name}.json").read_text("utf-8"))
        data = folder.joinpath(f"{name}.npz").read_bytes()
        if hashlib.sha256(data).hexdigest() != card["sha256"]:
            raise ModelError(f"model {name}: {name}.npz is not what {name}.json describes")
        with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
            return {key: arrays[key] for key in arrays}, card
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise ModelError(f"model {name} cannot be read ({error}); reinstall the package") from error


def save_model(folder: Path, name: str, arrays: Arrays, card: dict[str, Any]) -> None:
    """Write a model, the same bytes for the same arrays, and its card with their checksum.

    Args:
        folder: where to.
        name: its name.
        arrays: its numbers.
        card: what it is: data, date, figures; the checksum is added.

    Raises:
        ValueError: an array holds objects.
    """
    # np.savez stamps its members with a fixed date, so equal arrays make equal files.
    buffer = io.BytesIO()
    named: dict[str, Any] = {key: arrays[key] for key in sorted(arrays)}
    np.savez_compressed(buffer, allow_pickle=False, **named)
    data = buffer.getvalue()
    (folder / f"{name}.npz").write_bytes(data)
    whole = card | {"sha256": hashlib.sha256(data).hexdigest()}
    text = json.dumps(whole, indent=2, sort_keys=True) + "\n"
    (folder / f"{name}.json").write_text(text, "utf-8")
