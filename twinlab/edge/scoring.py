"""Rows of a machine scored where they arise: with an exported anomaly model, before anything is left out."""

from __future__ import annotations

import math
import zipfile
from typing import Any

import numpy as np
import numpy.typing as npt

from twinlab.edge.aggregation import State
from twinlab.edge.readings import Reading, Readings
from twinlab.edge.scorer import score
from twinlab.edge.settings import Scores
from twinlab.errors import SchemaError, UnitError
from twinlab.model.basics import parse_duration
from twinlab.model.units import canonical_unit

__all__ = ["Scoring"]

#: Arrays of a model of which each asset has its own part, with the axis of the assets.
_OF_ASSETS = {"mean": 0, "share": 0, "offset": 0, "scale": 0, "newest": 0, "earlier": 1}


class Scoring:
    """Scores the assets of one model; its state is JSON, so that a gateway that was killed continues where it was.

    The value of a signal in a window is its last one. A window is scored once a reading of a later one comes, or ``grace`` after its end.
    Readings of a window that was scored, without a number or with a status aren't used.

    Parameters
    ----------
    settings : Scores
    units : mapping of str to str or None
        Tag -> unit as the machine declares it.
    state : dict, optional
        Of an earlier run.

    Raises
    ------
    SchemaError
        If the model can't be read, or has no such asset or signal.
    UnitError
        If a tag's unit isn't the one that the model was trained on.
    """

    def __init__(self, settings: Scores, units: dict[str, str | None], state: dict[str, State] | None = None) -> None:
        self._width, self._grace = parse_duration(settings.every), parse_duration(settings.grace)
        self._model, self._places = _model_of(settings, units)
        self._names = list(settings.assets)
        self._shape = (1, len(self._names), len(self._model["signals"]))
        self.state: dict[str, State] = dict(state or {})

    def take(self, rows: Readings) -> list[Reading]:
        """Return the scores of the windows that have ended with these rows."""
        places = np.array([self._places.get(tag, -1) for tag in rows.tags], dtype=np.int64)[rows.codes]
        used = (places >= 0) & rows.has_value & ~rows.has_status & np.isfinite(rows.values)
        places, times, values = places[used], rows.times[used], rows.values[used]
        order = np.argsort(times, kind="stable")
        starts = times[order] // self._width * self._width
        scored: list[Reading] = []
        for start in np.unique(starts).tolist():
            opened = self._opened
            if opened is not None and start > opened:
                scored += self._score()
            if opened is None or start > opened:
                self._open(start)
            elif start < opened or not self.state["cells"]:
                continue
            mine = order[starts == start]
            cells = list(self.state["cells"])
            for place, time, value in zip(*(one[mine].tolist() for one in (places, times, values)), strict=True):
                if cells[2 * place + 1] is None or time >= int(cells[2 * place + 1] or 0):
                    cells[2 * place : 2 * place + 2] = [value, time]
            self.state = {**self.state, "cells": cells}
        return scored

    def close(self, now: int) -> list[Reading]:
        """Return the scores of the window that ended at least the grace before a time, ns."""
        opened = self._opened
        if opened is None or not self.state["cells"] or opened + self._width + self._grace > now:
            return []
        return self._score()

    # -- inside ----------------------------------------------------------------------------------------------------
    @property
    def _opened(self) -> int | None:
        """Start of the newest window."""
        return int(self.state["window"][0] or 0) if "window" in self.state else None

    def _open(self, start: int) -> None:
        """Begin a window; those between it and the one before had no reading, and no index."""
        cells: State = [None, None] * (self._shape[1] * self._shape[2])
        self.state = {**self.state, "window": [start], "cells": cells}

    def _score(self) -> list[Reading]:
        """Score the newest window, if it wasn't yet."""
        cells = self.state["cells"]
        if not cells:
            return []
        values = np.array([np.nan if one is None else float(one) for one in cells[::2]]).reshape(self._shape)
        index, levels = score(self._model, values, self._levels())
        start = int(self.state["window"][0] or 0)
        flat = np.concatenate([levels[0][None], np.reshape(levels[1], (-1, *levels[0].shape))]).ravel()
        kept: State = [None if math.isnan(one) else one for one in flat.tolist()] if self._follows else []
        self.state = {**self.state, "cells": [], "levels": kept}
        return [
            Reading(f"{name}/{what}", start, value)
            for name, found in zip(self._names, index[0].tolist(), strict=True)
            if not math.isnan(found)
            for what, value in (("anomaly", found), ("unusual", float(found >= 1)))
        ]

    @property
    def _follows(self) -> bool:
        return bool(self._model["share"].any())

    def _levels(self) -> Any:  # noqa: ANN401  (the scorer's state)
        kept = self.state.get("levels")
        if not kept:
            return None
        flat = np.array([np.nan if one is None else float(one) for one in kept])
        newest, *earlier = flat.reshape(-1, *self._model["mean"].shape)
        return newest, tuple(earlier)


def _model_of(settings: Scores, units: dict[str, str | None]) -> tuple[dict[str, Any], dict[str, int]]:
    """Return the arrays of the assets that are scored, and the place of each tag's cell."""
    model = _read(settings.model)
    assets, signals = ([str(one) for one in model[name]] for name in ("assets", "signals"))
    declared = dict(zip(signals, (str(one) for one in model["units"]), strict=True))
    places: dict[str, int] = {}
    for number, (asset, tags) in enumerate(settings.assets.items()):
        if asset not in assets:
            msg = f"{settings.model}: expected an asset of the model ({', '.join(assets[:8])}), got {asset!r}"
            raise SchemaError(msg)
        for signal, tag in tags.items():
            if signal not in signals:
                msg = f"{settings.model}: expected a signal of the model ({', '.join(signals)}), got {signal!r}"
                raise SchemaError(msg)
            unit = units.get(tag)
            if unit is not None and canonical_unit(unit) != declared[signal]:
                msg = (
                    f"tag {tag!r}: the machine declares {unit!r}, the model {settings.model} was trained on {declared[signal] or 'no unit'}; "
                    "train it again, or take the tag out of `scores`"
                )
                raise UnitError(msg)
            places[tag] = number * len(signals) + signals.index(signal)
    chosen: npt.NDArray[np.int64] = np.array([assets.index(one) for one in settings.assets])
    return model | {name: np.take(model[name], chosen, axis=axis) for name, axis in _OF_ASSETS.items()}, places


def _read(path: str) -> dict[str, npt.NDArray[Any]]:
    try:
        with np.load(path) as file:
            found = {name: file[name] for name in file.files}
        missing = {"assets", "signals", "units", "kind", *_OF_ASSETS} - set(found)
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        msg = f"{path}: expected a model that `export` wrote ({error})"
        raise SchemaError(msg) from error
    if missing:
        msg = f"{path}: expected a model that `export` wrote, {', '.join(sorted(missing))} is missing"
        raise SchemaError(msg)
    return found
