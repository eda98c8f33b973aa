"""Hashes of parameters and of fitted arrays."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np

__all__ = ["hash_of"]


def hash_of(*parts: object) -> str:
    """Return a hash of parameters: numbers, text, arrays, dataclasses, mappings, sequences and estimators with `get_params`.

    >>> hash_of(1, "a") == hash_of(1, "a"), hash_of(1, "a") == hash_of("1", "a")
    (True, False)
    """
    text = json.dumps([_plain(part) for part in parts], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _plain(part: object) -> Any:  # noqa: ANN401, PLR0911  (JSON; a case a type)
    if part is None or isinstance(part, (bool, int, float, str)):
        return part
    if isinstance(part, (np.datetime64, np.timedelta64)):
        return str(part)
    if isinstance(part, np.generic):
        return _plain(part.item())
    if isinstance(part, np.ndarray):
        if part.dtype.kind == "O":
            return [_plain(one) for one in part.ravel()]
        return [str(part.dtype), list(part.shape), hashlib.sha256(np.ascontiguousarray(part).tobytes()).hexdigest()]
    if is_dataclass(part) and not isinstance(part, type):
        return {"class": _name(part), **{one.name: _plain(getattr(part, one.name)) for one in fields(part)}}
    if isinstance(part, Mapping):
        return {str(key): _plain(value) for key, value in sorted(part.items(), key=lambda item: str(item[0]))}
    if isinstance(part, (list, tuple, set, frozenset)):
        found = [_plain(one) for one in part]
        return sorted(found, key=repr) if isinstance(part, (set, frozenset)) else found
    if hasattr(part, "get_params"):
        return {"class": _name(part), **_plain(part.get_params(deep=True))}
    if callable(part):
        return f"{getattr(part, '__module__', '')}.{getattr(part, '__qualname__', type(part).__qualname__)}"
    return repr(part)


def _name(part: object) -> str:
    return f"{type(part).__module__}.{type(part).__qualname__}"
