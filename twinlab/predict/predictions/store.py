"""Predictions in a folder beside the twin, as plain Zarr."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

import numpy as np
import pandas as pd
import xarray as xr

from twinlab._files import disk_usage, file_name, sync_folder, write_atomically
from twinlab._locks import Lock
from twinlab.errors import CorruptionError, SchemaError, UnknownTermError
from twinlab.model.terms import nearest
from twinlab.predict.predictions.files import issue_times, load_predictions, save_predictions
from twinlab.predict.predictions.joining import join
from twinlab.predict.predictions.schema import CANT_TELL, check_predictions

__all__ = ["PredictionStore"]

_COLUMNS = (
    "name", "target", "model", "asset_type", "issued", "first_issue", "last_issue", "lead_times", "assets", "cant_tell", "bytes", "fault",
)  # fmt: skip


class PredictionStore:
    """Stored predictions by name; each issue time is stored once and never changed.

    Parameters
    ----------
    path : path
        Folder; it is made with the first predictions. Each addition is a Zarr directory of its own, ``<name>/<n>.zarr``, that
        `xarray.open_zarr` opens.
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
            parts = self._parts(folder)
            if parts:
                # Joined, they show what doesn't fit.
                join([load_predictions(part) for part in parts] + [data])
            number = 1 + max((int(part.stem) for part in parts), default=-1)
            write_atomically(folder / f"{number:06d}.zarr", lambda draft: save_predictions(data, draft))
            sync_folder(folder)

    def open(self, name: str) -> xr.Dataset:
        """Return all predictions of a name, in order of issue time.

        Raises
        ------
        UnknownTermError
            If there are none; shows the nearest name.
        CorruptionError
            If a part can't be read.
        """
        return join([load_predictions(part) for part in self._parts(self._existing(name))])

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
        when, latest, found = at.astype("datetime64[ns]"), None, None
        for part in self._parts(self._existing(name)):
            issued = issue_times(part, part.stat().st_mtime_ns)
            known = issued[issued <= when]
            if len(known) and (latest is None or known.max() > latest):
                latest, found = known.max(), part
        if found is None:
            return None
        data = load_predictions(found)
        along = data["issue_time"].dims[0]
        return data.isel({along: np.flatnonzero(data["issue_time"].values == latest)})

    def __getitem__(self, name: str) -> xr.Dataset:
        return self.open(name)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and bool(name.strip()) and bool(self._parts(self._folder(name)))

    def __iter__(self) -> Iterator[str]:
        return iter(self.names)

    def __len__(self) -> int:
        return len(self.names)

    @property
    def names(self) -> list[str]:
        """Names of the stored predictions, in alphabetic order."""
        folders = self.path.iterdir() if self.path.is_dir() else ()
        return sorted(unquote(one.name) for one in folders if not one.name.startswith(".") and self._parts(one))

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
            "cant_tell": float((data[CANT_TELL] > 0).mean()),
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

    @staticmethod
    def _parts(folder: Path) -> list[Path]:
        return sorted(folder.glob("[0-9]*.zarr")) if folder.is_dir() else []

    def __repr__(self) -> str:
        table = self.table()
        if table.empty:
            return f"PredictionStore {self.path}: no predictions"
        shown = table.drop(columns=["bytes", "fault"]).to_string(index=False)
        return f"PredictionStore {self.path}: {len(table)} predictions\n{shown}"
