"""Random numbers of models of others: one NumPy generator per seed and replication, whose state can be saved."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

__all__ = ["belongs_to", "generator", "restart", "restored", "saved"]

_MASK = 2**64 - 1
#: Variables of a saved generator and their entries in NumPy's own state.
_PARTS = {
    "random_counter": ("state", "counter"),
    "random_key": ("state", "key"),
    "random_buffer": ("buffer",),
    "random_position": ("buffer_pos",),
    "random_has_half": ("has_uint32",),
    "random_half": ("uinteger",),
}


def generator(seed: int, replication: int) -> np.random.Generator:
    """Return the generator of a replication: Philox4x64-10 with the key (seed, replication).

    >>> first, again, other = generator(0, 1), generator(0, 1), generator(0, 2)
    >>> first.random() == again.random() != other.random()
    True
    """
    return np.random.Generator(np.random.Philox(key=_key(seed, replication)))


def _key(seed: int, replication: int) -> NDArray[np.uint64]:
    return np.array([seed & _MASK, replication & _MASK], dtype=np.uint64)


def belongs_to(rng: np.random.Generator, seed: int, replication: int) -> bool:
    """Return whether a generator's numbers are those of a replication."""
    state: dict[str, Any] = rng.bit_generator.state  # type: ignore[assignment]
    return bool(np.array_equal(state["state"]["key"], _key(seed, replication)))


def restart(rng: np.random.Generator, seed: int, replication: int) -> None:
    """Make a generator that a model keeps a reference to continue as that of another replication, from its beginning."""
    rng.bit_generator.state = generator(seed, replication).bit_generator.state


def saved(rng: np.random.Generator) -> dict[str, xr.Variable]:
    """Return the state of a generator of this module as variables of a Dataset."""
    state = rng.bit_generator.state
    found = {}
    for name, path in _PARTS.items():
        value = state
        for part in path:
            value = value[part]
        values = np.array(value, dtype=np.uint64)
        found[name] = xr.Variable(() if values.ndim == 0 else (f"{name}_word",), values)
    return found


def restored(variables: xr.Dataset) -> np.random.Generator:
    """Return the generator that `saved` stored.

    >>> rng = generator(3, 0)
    >>> _ = rng.integers(0, 9, 5, dtype="uint32")
    >>> copy = restored(xr.Dataset(saved(rng)))
    >>> copy.normal() == rng.normal()
    True
    """
    values = {name: variables[name].values for name in _PARTS}
    rng = generator(0, 0)
    rng.bit_generator.state = {
        "bit_generator": "Philox",
        "state": {"counter": values["random_counter"].copy(), "key": values["random_key"].copy()},
        "buffer": values["random_buffer"].copy(),
        "buffer_pos": int(values["random_position"]),
        "has_uint32": int(values["random_has_half"]),
        "uinteger": int(values["random_half"]),
    }
    return rng
