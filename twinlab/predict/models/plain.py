"""Plain values as JSON and arrays: numbers, texts, times, tuples, mappings, NumPy arrays and pandas' indexes.

A value that JSON has is written as it is. Any other one is an object with the key ``"$"``, which names its type.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from twinlab.errors import SchemaError

__all__ = ["MARK", "Decoder", "Encoder", "array_of_text", "text_of_array"]

Array = NDArray[Any]
#: Key of an object in JSON that isn't a mapping of the model itself.
MARK: Final = "$"
#: Kinds of arrays that are stored: bool, int, uint, float, timedelta, datetime, text of fixed length, structures of these.
_KINDS: Final = frozenset("biufmMUV")


def array_of_text(text: str) -> Array:
    """Return a text as an array of its bytes in UTF-8."""
    return np.frombuffer(text.encode(), np.uint8).copy()


def _without_gaps(array: Array) -> Array:
    """Return an array of structures with zeros between the fields, where memory has anything: equal models are equal files."""
    if array.dtype.names is None:
        return array
    out = np.zeros(array.shape, array.dtype)
    for name in array.dtype.names:
        out[name] = array[name]
    return out


def text_of_array(array: Array) -> str:
    """Return the text of `array_of_text`.

    Raises
    ------
    SchemaError
        If the array isn't one.
    """
    if array.dtype != np.uint8 or array.ndim != 1:
        msg = f"expected a text as an array of bytes, got {array.dtype} of shape {array.shape}"
        raise SchemaError(msg)
    return array.tobytes().decode()


class Encoder:
    """Writes values as JSON, with their arrays beside.

    Parameters
    ----------
    other : callable
        ``other(encoder, value, place) -> JSON or None``: for values that aren't plain; None if it doesn't know them, either.
    """

    def __init__(self, other: Callable[[Encoder, object, str], Any]) -> None:
        self.arrays: dict[str, Array] = {}
        self._other = other

    def value(self, value: object, place: str) -> Any:  # noqa: ANN401  (JSON)
        """Return a value as JSON; ``place`` is where it is in the model, such as ``"pools.below"``, and names its arrays.

        Raises
        ------
        SchemaError
            If it can't be stored, such as a function; names the place.
        """
        if value is None or type(value) in (bool, int, str):
            return value
        if type(value) is float:
            return value if math.isfinite(value) else {MARK: "float", "value": repr(value)}
        found = self._sequence(value, place)
        if found is None:
            found = self._numpy(value, place)
        if found is None:
            found = self._other(self, value, place)
        if found is None:
            msg = (
                f"{place or 'the model'} is a {type(value).__module__}.{type(value).__qualname__}, which can't be stored as arrays and text; "
                "a format of your own does it: an entry point of the group 'twinlab.model_formats', see extending.md"
            )
            raise SchemaError(msg)
        return found

    def array(self, array: Array, place: str) -> str:
        """Keep an array; returns the name that it has in the file."""
        name = place or "values"
        while name in self.arrays:
            name += "'"
        self.arrays[name] = _without_gaps(np.ascontiguousarray(array).reshape(array.shape))
        return name

    def _sequence(self, value: object, place: str) -> Any:  # noqa: ANN401  (JSON)
        if isinstance(value, list):
            return [self.value(one, f"{place}.{k}") for k, one in enumerate(value)]
        if type(value) in (tuple, set, frozenset):
            items = value if isinstance(value, tuple) else sorted(value, key=repr)  # type: ignore[call-overload]
            return {
                MARK: type(value).__name__,
                "items": [self.value(one, f"{place}.{k}") for k, one in enumerate(items)],
            }
        if isinstance(value, Mapping):
            keys = list(value)
            if all(type(key) is str for key in keys) and MARK not in keys:
                return {key: self.value(one, f"{place}.{key}") for key, one in value.items()}
            items = [
                [self.value(key, f"{place}.key{k}"), self.value(value[key], f"{place}.{k}")]
                for k, key in enumerate(keys)
            ]
            return {MARK: "mapping", "items": items}
        return None

    def _numpy(self, value: object, place: str) -> Any:  # noqa: ANN401  (JSON)
        if isinstance(value, np.ndarray):
            return self._array(value, place)
        if isinstance(value, np.generic) and value.dtype.kind in "biufmM":
            plain = value.astype("int64") if value.dtype.kind in "mM" else value
            return {MARK: "number", "type": value.dtype.str, "value": self.value(plain.item(), place)}
        if isinstance(value, pd.MultiIndex):
            columns = [value.get_level_values(k).to_numpy(object).tolist() for k in range(value.nlevels)]
            return {MARK: "multiindex", "levels": [self.value(one, f"{place}.{k}") for k, one in enumerate(columns)]}
        return None

    def _array(self, value: Array, place: str) -> Any:  # noqa: ANN401  (JSON)
        if value.dtype.kind == "O":
            return {MARK: "objects", "shape": list(value.shape), "items": self.value(value.ravel().tolist(), place)}
        if value.dtype.kind not in _KINDS or value.dtype.hasobject:
            return None
        return {MARK: "array", "name": self.array(value, place)}


class Decoder:
    """Reads what an `Encoder` wrote.

    Parameters
    ----------
    arrays : mapping of str to array
    other : callable
        ``other(decoder, type, node) -> value``: for values that aren't plain.
    """

    def __init__(self, arrays: Mapping[str, Array], other: Callable[[Decoder, str, Mapping[str, Any]], object]) -> None:
        self._arrays = arrays
        self._other = other

    def value(self, node: Any) -> Any:  # noqa: ANN401  (JSON, and what it describes)
        """Return the value of a node.

        Raises
        ------
        SchemaError
            If the node isn't as an `Encoder` writes it.
        """
        if isinstance(node, list):
            return [self.value(one) for one in node]
        if not isinstance(node, dict):
            return node
        if MARK not in node:
            return {key: self.value(one) for key, one in node.items()}
        kind = node[MARK]
        read = _READERS.get(kind)
        return self._other(self, str(kind), node) if read is None else read(self, node)

    def array(self, name: object) -> Array:
        """Return an array by its name.

        Raises
        ------
        SchemaError
            If there is none.
        """
        if not isinstance(name, str) or name not in self._arrays:
            msg = f"expected the array {name!r}, there is none"
            raise SchemaError(msg)
        return self._arrays[name]


def _float(decoder: Decoder, node: Mapping[str, Any]) -> float:  # noqa: ARG001  (as all readers)
    return float(node["value"])


def _items(kind: type) -> Callable[[Decoder, Mapping[str, Any]], object]:
    return lambda decoder, node: kind(decoder.value(list(node["items"])))


def _mapping(decoder: Decoder, node: Mapping[str, Any]) -> dict[Any, Any]:
    return {decoder.value(key): decoder.value(one) for key, one in node["items"]}


def _number(decoder: Decoder, node: Mapping[str, Any]) -> object:
    dtype = np.dtype(str(node["type"]))
    if dtype.kind not in "biufmM":
        msg = f"expected the type of a number, got {node['type']!r}"
        raise SchemaError(msg)
    plain = decoder.value(node["value"])
    return np.int64(plain).view(dtype) if dtype.kind in "mM" else dtype.type(plain)


def _multiindex(decoder: Decoder, node: Mapping[str, Any]) -> pd.MultiIndex:
    levels = [decoder.value(one) for one in node["levels"]]
    return pd.MultiIndex.from_tuples(list(zip(*levels, strict=True)))


def _objects(decoder: Decoder, node: Mapping[str, Any]) -> Array:
    items = decoder.value(list(node["items"]))
    out = np.empty(len(items), object)
    out[:] = items
    return out.reshape([int(one) for one in node["shape"]])


def _array(decoder: Decoder, node: Mapping[str, Any]) -> Array:
    return decoder.array(node["name"])


_READERS: Final[dict[str, Callable[[Decoder, Mapping[str, Any]], object]]] = {
    "array": _array,
    "float": _float,
    "frozenset": _items(frozenset),
    "mapping": _mapping,
    "multiindex": _multiindex,
    "number": _number,
    "objects": _objects,
    "set": _items(set),
    "tuple": _items(tuple),
}
