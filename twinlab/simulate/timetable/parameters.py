"""Everything that decides what a timetable model does, as one Dataset, and the model back from it."""

from __future__ import annotations

import json
from dataclasses import fields, is_dataclass
from types import NoneType, UnionType
from typing import Any, get_args, get_origin, get_type_hints

import numpy as np
import xarray as xr

from twinlab.errors import CorruptionError
from twinlab.simulate.timetable.model import TimetableModel

__all__ = ["model_of", "parameters_of"]

_PLAIN = "parameters"
#: In the place of an array, which is a variable.
_ARRAY = {"array": True}


def parameters_of(model: TimetableModel) -> xr.Dataset:
    """Return the arrays of a model as variables named by their path (``fits.start.quantiles``), all else as JSON in an attribute."""
    arrays: dict[str, tuple[tuple[str, ...], np.ndarray[Any, Any]]] = {}
    plain = _taken_apart(model, "", arrays)
    return xr.Dataset(arrays, attrs={_PLAIN: json.dumps(plain)})


def model_of(parameters: xr.Dataset) -> TimetableModel:
    """Return the model whose parameters these are; it has the same content hash.

    Raises
    ------
    CorruptionError
        If a parameter is missing.
    """
    try:
        found = _put_together(TimetableModel, json.loads(parameters.attrs[_PLAIN]), "", parameters)
    except (KeyError, TypeError, ValueError) as error:
        msg = f"the parameters of a stored timetable model can't be read ({error}); restore the run from a copy"
        raise CorruptionError(msg) from error
    assert isinstance(found, TimetableModel)
    return found


def _taken_apart(part: Any, path: str, arrays: dict[str, Any]) -> Any:  # noqa: ANN401  (any parameter)
    """Return a parameter as JSON has it; arrays are added to ``arrays`` and stay out."""
    if isinstance(part, np.ndarray):
        # Dims of their own, since arrays of the same length may have different meanings.
        arrays[path] = tuple(f"{path}.{axis}" for axis in range(part.ndim)), part
        return _ARRAY
    if is_dataclass(part):
        return {
            one.name: _taken_apart(getattr(part, one.name), _joined(path, one.name), arrays) for one in fields(part)
        }
    return part


def _put_together(kind: Any, stated: Any, path: str, arrays: xr.Dataset) -> Any:  # noqa: ANN401
    """Return a parameter of a kind, with the arrays below its path."""
    if stated == _ARRAY:
        return arrays[path].to_numpy()
    options = get_args(kind) if isinstance(kind, UnionType) else (kind,)
    (kind,) = [one for one in options if one is not NoneType]
    if stated is not None and is_dataclass(kind):
        kinds = get_type_hints(kind)
        return kind(**{  # type: ignore[operator]  # a class
            one.name: _put_together(kinds[one.name], stated[one.name], _joined(path, one.name), arrays)
            for one in fields(kind)
        })  # fmt: skip
    return _tuples(stated) if get_origin(kind) is tuple else stated


def _joined(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _tuples(values: Any) -> Any:  # noqa: ANN401
    """Return lists of JSON as the tuples that they were."""
    return tuple(map(_tuples, values)) if isinstance(values, list) else values
