"""The result of a backtest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd
import xarray as xr

from twinlab.errors import SchemaError, UnknownTermError
from twinlab.model.terms import nearest
from twinlab.predict.backtests.plan import Plan
from twinlab.predict.predictions.schema import CANT_TELL, places_of, target_of
from twinlab.predict.predictions.scoring import score_predictions, true_values
from twinlab.predict.protocol.durations import duration
from twinlab.predict.scores.significance import diebold_mariano, paired_bootstrap

__all__ = ["FINAL", "THEN", "Backtest"]

#: What was known at the issue time, and the data as they became.
THEN: Final = "then"
FINAL: Final = "final"


@dataclass(frozen=True, repr=False)
class Backtest:
    """Predictions of a model and of its baselines at many issue times, with their true values.

    Parameters
    ----------
    model : str
        Name of the model.
    plan : Plan
    predictions : mapping of (model, "then" or "final") to Dataset
        "then" from what was known at each issue time, "final" from the data as they are now.
    truth : DataArray
        True values.
    cost : DataFrame
        Seconds of processor, kWh and money by model, see `cost_table`.
    """

    model: str
    plan: Plan
    predictions: Mapping[tuple[str, str], xr.Dataset]
    truth: xr.DataArray
    cost: pd.DataFrame

    @property
    def models(self) -> list[str]:
        """The model, then its baselines."""
        return list(dict.fromkeys(name for name, _ in self.predictions))

    @property
    def loss_name(self) -> str:
        """The score that skill is computed from: ``mae`` of a value, ``brier`` of a probability."""
        return "brier" if target_of(self.predictions[self.model, THEN]).attrs["kind"] == "probability" else "mae"

    @property
    def reference(self) -> str | None:
        """The baseline that skill is computed against: the one with the lowest loss, of those that have one."""
        losses = {name: self._total(name, THEN) for name in self.models if name != self.model}
        known = {name: one for name, one in losses.items() if not np.isnan(one)}
        return min(known, key=lambda name: known[name]) if known else None

    def scores(
        self,
        *,
        by: Sequence[str] = (),
        groups: Mapping[str, str] | None = None,
        lead_edges: Sequence[str] = (),
        known: str = THEN,
    ) -> pd.DataFrame:
        """Return scores of all models, with the skill against the best baseline.

        Parameters
        ----------
        by, groups, lead_edges
            Rows of the table, as in `twinlab.predict.score_predictions`.
        known : "then" or "final"
            From what was known then, or from the data as they are now.

        Returns
        -------
        DataFrame
            Columns ``model``, those of ``by``, the scores, and ``skill``: 1 - loss / loss of the best baseline, on the places at which both have a
            number; 0 is no better than that one.

        Raises
        ------
        SchemaError
            If nothing was predicted from final data.
        """
        options = {"by": by, "groups": groups, "lead_edges": lead_edges}
        tables = []
        for name in self.models:
            table = score_predictions(self._data(name, known), self.truth, **options).assign(model=name)  # type: ignore[arg-type]
            if self.reference is not None:
                table["skill"] = self._skill(name, known, options)
            tables.append(table)
        table = pd.concat(tables, ignore_index=True)
        return table[["model", *(name for name in table if name != "model")]]

    def significance(self) -> pd.DataFrame:
        """Return whether the model is better than each baseline, on the places at which both have a number.

        Returns
        -------
        DataFrame
            Columns ``baseline, issue_times, difference`` (mean loss of the model minus the baseline's), ``low, high`` and ``p`` by Diebold and
            Mariano, ``p_bootstrap`` and ``verdict``.
        """
        horizon = self._horizon()
        rows = []
        for name in self.models:
            if name == self.model:
                continue
            mine, other = self._by_issue_time(self._paired((self.model, THEN), (name, THEN)))
            one = diebold_mariano(mine, other, horizon=horizon)
            two = paired_bootstrap(mine, other, block=horizon)
            rows.append((name, one.count, one.difference, one.low, one.high, one.p, two.p, one.verdict))
        columns = ["baseline", "issue_times", "difference", "low", "high", "p", "p_bootstrap", "verdict"]
        return pd.DataFrame(rows, columns=columns)

    def leak(self) -> pd.DataFrame:
        """Return skill on final data beside the skill that would have been had: the difference is the leak.

        Returns
        -------
        DataFrame
            Columns ``model, loss_then, loss_final, skill_then, skill_final``, ``leak`` (the difference of the skills, against the reference's
            loss from what was known then) and ``p`` of the difference of the losses; on the places at which both have a number.

        Raises
        ------
        SchemaError
            If nothing was predicted from final data.
        """
        horizon = self._horizon()
        rows = []
        for name in self.models:
            self._data(name, FINAL)
            both = self._paired((name, THEN), (name, FINAL))
            then, final = both.mean().tolist() if len(both) else (float("nan"), float("nan"))
            test = diebold_mariano(*self._by_issue_time(both)[::-1], horizon=horizon)
            base = (
                float("nan") if self.reference is None else self._loss(self.reference, THEN).reindex(both.index).mean()
            )
            skills = (1 - then / base, 1 - final / base)
            rows.append((name, then, final, *skills, skills[1] - skills[0], test.p))
        columns = ["model", "loss_then", "loss_final", "skill_then", "skill_final", "leak", "p"]
        return pd.DataFrame(rows, columns=columns)

    def _data(self, name: str, known: str) -> xr.Dataset:
        if (name, known) in self.predictions:
            return self.predictions[name, known]
        if name not in self.models:
            msg = f"expected a model of the backtest, got {name!r}{nearest(name, self.models)}"
            raise UnknownTermError(msg)
        msg = "nothing was predicted from final data, since they are what was known then; use knowledge=ByIngest() or a latency"
        raise SchemaError(msg)

    def _horizon(self) -> int:
        """Return for how many issue times a prediction reaches ahead."""
        leads = self.predictions[self.model, THEN]["lead_time"].values
        longest = leads.max() if leads.size else np.timedelta64(0, "ns")
        return max(1, int(-(-longest // duration(self.plan.every, what="every"))))

    def _loss(self, name: str, known: str) -> pd.Series[float]:
        """Return the loss of each place that has a number and a true value, by issue time, lead time and asset or event."""
        data = self._data(name, known)
        values, true = target_of(data), true_values(data, self.truth)
        if "quantile" in values.dims:
            middle = int(np.argmin(np.abs(data["quantile"].values - 0.5)))
            loss = np.abs(values.values[..., middle] - true)
        else:
            loss = (values.values - true) ** 2
        loss = np.where(data[CANT_TELL].values > 0, np.nan, loss)
        dims = places_of(data)
        if dims == ("case",):
            places = pd.MultiIndex.from_arrays([data["issue_time"].values, data["event_id"].values])
        else:
            places = pd.MultiIndex.from_product([data[dim].values for dim in dims])
        return pd.Series(loss.ravel(), index=places).dropna()

    def _paired(self, first: tuple[str, str], second: tuple[str, str]) -> pd.DataFrame:
        """Return the losses of two at the places at which both have one."""
        return pd.concat({0: self._loss(*first), 1: self._loss(*second)}, axis=1, join="inner")

    def _by_issue_time(self, losses: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
        """Return the mean losses of each issue time of the plan, in time order; NaN without any."""
        mean = losses.groupby(level=0).mean().reindex(pd.DatetimeIndex(self.plan.issued))
        return np.asarray(mean[0], float), np.asarray(mean[1], float)

    def _total(self, name: str, known: str) -> float:
        return float(self._loss(name, known).mean())

    def _skill(self, name: str, known: str, options: Mapping[str, Any]) -> pd.Series[float]:
        """Return the skill of each row of scores, on the places at which the model and the reference have a number."""
        assert self.reference is not None
        mine, other = self._data(name, known), self._data(self.reference, known)
        by = list(options["by"])
        own, base = (
            score_predictions(data, _where_told(self.truth, two), **options)[[*by, self.loss_name]]
            for data, two in ((mine, other), (other, mine))
        )
        if not by:
            return 1 - own[self.loss_name] / base[self.loss_name]
        # The reference may have other assets.
        both = own.merge(base, on=by, how="left", suffixes=("", " of the reference"))
        return 1 - both[self.loss_name] / both[f"{self.loss_name} of the reference"]

    def __repr__(self) -> str:
        plan = self.plan
        head = (
            f"Backtest of {self.model}: {len(plan.issued)} issue times, {plan.start} to {plan.stop}, every {plan.every}"
        )
        table = self.scores().to_string(index=False, float_format="{:.4g}".format)
        return f"{head}\n{table}"


def _where_told(truth: xr.DataArray, data: xr.Dataset) -> xr.DataArray:
    """Return true values of the places at which predictions have a number."""
    answered = data[CANT_TELL] == 0
    if truth.dims == ("event_id",):
        known = set(data["event_id"].values[answered.values])
        return truth.where(np.array([one in known for one in truth["event_id"].values], bool))
    if places_of(data) == ("case",):
        told, wanted = (
            pd.MultiIndex.from_arrays([one["issue_time"].values, one["event_id"].values]) for one in (data, truth)
        )
        return truth.where(pd.Series(answered.values, told).reindex(wanted, fill_value=False).to_numpy(bool))
    return truth.where(
        answered.reindex({name: truth[name] for name in truth.dims}, fill_value=False).transpose(*truth.dims)
    )
