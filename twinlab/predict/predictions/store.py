"""Predictions in a folder beside the twin, as plain Zarr."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Final, TypeVar
from urllib.parse import unquote

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from twinlab._files import disk_usage, file_name, sync_folder
from twinlab._locks import Lock
from twinlab.errors import CorruptionError, SchemaError, UnknownTermError
from twinlab.model.terms import nearest
from twinlab.predict.predictions.files import load_predictions
from twinlab.predict.predictions.joining import check_alike, join
from twinlab.predict.predictions.parts import add_part, issued_in, merge_small, parts_in
from twinlab.predict.predictions.schema import CANT_TELL, check_predictions

__all__ = ["PredictionStore"]

_Found = TypeVar("_Found")
#: Times that a reader lists the parts again.
_AGAIN: Final = 3
_COLUMNS = (
    "name", "target", "model", "asset_type", "issued", "first_issue", "last_issue", "lead_times", "assets", "cant_tell", "bytes", "fault",
)  # fmt: skip


class PredictionStore:
    """Stored predictions by name; each issue time is stored once and never changed.

    Parameters
    ----------
    path : path
        Folder; it is made with the first predictions. Each addition is a Zarr directory of its own, ``<name>/<n>.zarr``, that
        `xarray.open_zarr` opens; of many, the older ones are joined to ``<n>-<m>.zarr``.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)

    def add(self, name: str, data: xr.Dataset) -> None:
        """Store predictions by a name, beside those of earlier issue times.

        Raises
        ------
        SchemaError
            If they don't follow the schema, an issue time is stored already, or the name has predictions of something else.
        HistoryConflictError
            If another process adds to the same name.
        """
        check_predictions(data)
        folder = self._folder(name)
        folder.mkdir(parents=True, exist_ok=True)
        with Lock(folder / "lock", what=f"the predictions {name!r}"):
            issued = issued_in(folder)
            if issued:
                # All parts are alike, so that one is compared.
                check_alike(load_predictions(list(issued)[-1]), data)
                _check_new(data, issued.values(), name)
            add_part(folder, data, issued)
            merge_small(folder)

    def open(self, name: str) -> xr.Dataset:
        """Return all predictions of a name, in order of issue time.

        Raises
        ------
        UnknownTermError
            If there are none; shows the nearest name.
        CorruptionError
            If a part can't be read.
        """
        folder = self._existing(name)
        return _while_parts_change(folder, lambda: join([load_predictions(part) for part in parts_in(folder)]))

    def newest(self, name: str, *, at: np.datetime64) -> xr.Dataset | None:
        """Return the predictions of a name with the latest issue time that isn't after an instant; None without one.

        One part is read, however many there are.

        Raises
        ------
        UnknownTermError
            If there are no predictions of the name.
        CorruptionError
            If a part can't be read.
        """
        folder, when = self._existing(name), at.astype("datetime64[ns]")
        return _while_parts_change(folder, lambda: _newest(folder, when))

    def last_issue(self, name: str) -> np.datetime64 | None:
        """Return the latest issue time of a name; None if there are no predictions of the name."""
        found = [one.max() for one in issued_in(self._folder(name)).values() if len(one)]
        return max(found, default=None)

    def __getitem__(self, name: str) -> xr.Dataset:
        return self.open(name)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and bool(name.strip()) and bool(parts_in(self._folder(name)))

    def __iter__(self) -> Iterator[str]:
        return iter(self.names)

    def __len__(self) -> int:
        return len(self.names)

    @property
    def names(self) -> list[str]:
        """Names of the stored predictions, in alphabetic order."""
        folders = self.path.iterdir() if self.path.is_dir() else ()
        return sorted(unquote(one.name) for one in folders if not one.name.startswith(".") and parts_in(one))

    def table(self) -> pd.DataFrame:
        """Return the stored predictions.

        Columns ``name, target, model, asset_type, issued`` (number of issue times), ``first_issue, last_issue, lead_times`` (number), ``assets,
        cant_tell`` (share of places without a number), ``bytes`` and ``fault`` (why they can't be read).
        """
        return pd.DataFrame([self._row(name) for name in self.names], columns=list(_COLUMNS))

    def _row(self, name: str) -> dict[str, object]:
        size = disk_usage(self._folder(name))[1]
        try:
            data = self.open(name)
        except (CorruptionError, SchemaError) as error:
            return {"name": name, "bytes": size, "fault": str(error)}
        # Predictions of events have these once for each case.
        issued, leads, assets = (np.unique(data[key].values) for key in ("issue_time", "lead_time", "asset"))
        return {
            "name": name,
            **{key: data.attrs.get(key, "") for key in ("target", "model", "asset_type")},
            "issued": len(issued),
            "first_issue": issued[0] if len(issued) else pd.NaT,
            "last_issue": issued[-1] if len(issued) else pd.NaT,
            "lead_times": len(leads),
            "assets": len(assets),
            "cant_tell": float((data[CANT_TELL] > 0).mean()) if data[CANT_TELL].size else 0.0,
            "bytes": size,
            "fault": "",
        }

    def delete(self, name: str) -> None:
        """Remove all predictions of a name.

        Raises
        ------
        UnknownTermError
            If there are none.
        HistoryConflictError
            If another process adds to them.
        """
        folder = self._existing(name)
        with Lock(folder / "lock", what=f"the predictions {name!r}"):
            # In one step, so that a kill leaves all or none.
            gone = folder.with_name(f".deleted-{folder.name}")
            shutil.rmtree(gone, ignore_errors=True)
            folder.rename(gone)
            sync_folder(self.path)
        shutil.rmtree(gone, ignore_errors=True)

    def _folder(self, name: str) -> Path:
        if not name.strip():
            msg = f"expected a name for the predictions, got {name!r}"
            raise SchemaError(msg)
        return self.path / file_name(name, safe=" ")

    def _existing(self, name: str) -> Path:
        if name not in self:
            msg = f"expected the name of stored predictions in {self.path}, got {name!r}{nearest(name, self.names)}"
            raise UnknownTermError(msg)
        return self._folder(name)

    def __repr__(self) -> str:
        table = self.table()
        if table.empty:
            return f"PredictionStore {self.path}: no predictions"
        shown = table.drop(columns=["bytes", "fault"]).to_string(index=False)
        return f"PredictionStore {self.path}: {len(table)} predictions\n{shown}"


def _newest(folder: Path, when: np.datetime64) -> xr.Dataset | None:
    """Return the predictions with the latest issue time until an instant."""
    latest, found = None, None
    for part, issued in issued_in(folder).items():
        known = issued[issued <= when]
        if len(known) and (latest is None or known.max() > latest):
            latest, found = known.max(), part
    if found is None:
        return None
    data = load_predictions(found)
    along = data["issue_time"].dims[0]
    data = data.isel({along: np.flatnonzero(data["issue_time"].values == latest)})
    # Joined parts have attributes that differ between them as coordinates of the issue time.
    own = [
        str(one)
        for one in data.coords
        if one in data.attrs and data[one].dims == (along,) and data[one].dtype == object and data[one].size
    ]
    return data.assign_attrs({one: data[one].values[0] for one in own}).drop_vars(own)


def _check_new(data: xr.Dataset, issued: Iterable[NDArray[np.datetime64]], name: str) -> None:
    times = np.unique(data["issue_time"].values.astype("datetime64[ns]"))
    again = [one for known in issued for one in times[np.isin(times, known)]]
    if again:
        msg = (
            f"there are predictions {name!r} of {np.datetime_as_string(again[0], 's')} already; two have the same issue time, "
            "and each is issued once"
        )
        raise SchemaError(msg)


def _while_parts_change(folder: Path, read: Callable[[], _Found]) -> _Found:
    """Read; again if another process has merged parts meanwhile."""
    for _ in range(_AGAIN):
        before = parts_in(folder)
        try:
            return read()
        except CorruptionError:
            if parts_in(folder) == before:
                raise
    return read()
