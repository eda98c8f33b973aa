"""Predictions that are stored beside a twin, scored against its history."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
import xarray as xr

from twinlab.predict.known.knowledge import Knowledge
from twinlab.predict.known.running import predict_at
from twinlab.predict.predictions.scoring import score_predictions
from twinlab.predict.predictions.store import PredictionStore
from twinlab.predict.protocol.predictor import Fitted
from twinlab.predict.targets.truth import truth_of
from twinlab.twin.predict.round_notes import read_rounds

if TYPE_CHECKING:
    from twinlab.model.reader import TwinReader

__all__ = ["TwinPredictions"]


class TwinPredictions(PredictionStore):
    """The stored predictions of a twin; scored against what it knows now.

    Parameters
    ----------
    path : path
        Folder of the predictions.
    twin : TwinReader
    """

    def __init__(self, path: str | Path, twin: TwinReader) -> None:
        super().__init__(path)
        self._twin = twin

    def issue(
        self,
        name: str,
        fitted: Fitted,
        *,
        issue_time: object,
        knowledge: Knowledge | None = None,
        future: xr.Dataset | None = None,
    ) -> xr.Dataset:
        """Predict from what was known at an instant, and store it.

        Parameters
        ----------
        name : str
            Name under which it is stored, beside earlier issue times.
        fitted, issue_time, knowledge, future
            As in `twinlab.predict.predict_at`.

        Raises
        ------
        SchemaError
            If there is a prediction of this issue time already.
        """
        data = predict_at(fitted, self._twin, issue_time=issue_time, knowledge=knowledge, future=future)
        self.add(name, data)
        return data

    def rounds(self) -> dict[str, dict[str, str]]:
        """Return when each rule of ``predictions:`` in ``twin.yaml`` was last tried: ``at`` (UTC), and ``error``, empty if it did what it should."""
        return read_rounds(self.path)

    def truth(self, name: str) -> xr.DataArray:
        """Return the true values of stored predictions, as far as they are known now."""
        return truth_of(self._twin, self.open(name))

    def score(
        self,
        name: str,
        *,
        by: Sequence[str] = ("lead_time",),
        groups: Mapping[str, str] | None = None,
        lead_edges: Sequence[str] = (),
        truth: xr.DataArray | None = None,
    ) -> pd.DataFrame:
        """Return scores of stored predictions against what the twin knows now, see `twinlab.predict.score_predictions`.

        Parameters
        ----------
        name : str
        by, groups, lead_edges
            Rows of the table.
        truth : DataArray, optional
            True values of predictions that aren't of a signal, of events that begin or of delays.
        """
        data = self.open(name)
        true = truth_of(self._twin, data) if truth is None else truth
        return score_predictions(data, true, by=by, groups=groups, lead_edges=lead_edges)

    def compare(self, *names: str, by: Sequence[str] = ()) -> pd.DataFrame:
        """Return scores of several stored predictions, each in rows of its own with its ``name``; by default of all of them."""
        tables = [self.score(name, by=by).assign(name=name) for name in names or self.names]
        if not tables:
            return pd.DataFrame({"name": pd.Series(dtype="str")})
        table = pd.concat(tables, ignore_index=True)
        return table[["name", *(column for column in table if column != "name")]]
