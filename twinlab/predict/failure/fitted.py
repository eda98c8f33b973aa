"""A fitted predictor of failures."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from twinlab.predict.failure.calibration.log_odds import corrected, logistic
from twinlab.predict.failure.calibration.outcomes import Outcomes
from twinlab.predict.failure.drivers import driver_texts
from twinlab.predict.failure.features import Rows, feature_names, rows_of
from twinlab.predict.failure.index import WearIndex
from twinlab.predict.failure.lives import lives_of
from twinlab.predict.failure.nearest import PastCases
from twinlab.predict.failure.refusals import Learnt, asset_refusals, unit_refusal
from twinlab.predict.failure.settings import DAY, FailureSettings
from twinlab.predict.failure.survival import FittedSurvival
from twinlab.predict.predictions.schema import predictions
from twinlab.predict.protocol.durations import duration, text_of
from twinlab.predict.protocol.hashing import hash_of
from twinlab.predict.protocol.inputs import Inputs
from twinlab.predict.protocol.predictor import CantTell
from twinlab.predict.protocol.state import State
from twinlab.predict.protocol.summary import Summary

__all__ = ["COLUMNS", "FittedFailure"]

Floats = NDArray[np.float64]
#: Levels of low, expected and high.
LEVELS: Final = (0.05, 0.5, 0.95)
#: Outcomes of so many longest spans are remembered.
_REMEMBERED: Final = 4
COLUMNS: Final = (
    "asset", "probability", "life_low", "life_expected", "life_high", "drivers", "nearest_case", "cant_tell",
)  # fmt: skip


@dataclass(frozen=True, repr=False)
class FittedFailure(Summary):
    """A `FailurePredictor` that was fitted.

    `predict` returns probabilities, `life` quantiles of the remaining life, both in the schema of predictions; `table` both, with the reasons.
    """

    settings: FailureSettings
    within: tuple[str, ...]
    name: str
    parameters: str
    model: FittedSurvival
    index: WearIndex
    learnt: Learnt
    spread: Floats
    past: PastCases
    training: tuple[np.datetime64, np.datetime64]
    outcomes: Outcomes | None = None

    @property
    def inputs(self) -> Inputs:
        """What `predict` reads."""
        return self.settings.inputs

    def content_hash(self) -> str:
        """Hash of the parameters and of what was fitted."""
        model = self.model
        return hash_of(self.parameters, model.risk.content_hash(), model.life.content_hash(), list(model.scale))

    def update(self, state: State) -> FittedFailure:
        """Return a predictor whose probabilities are corrected by the outcomes of earlier ones.

        Call it at each issue time: the risks are stored, and those whose span is over correct later ones.

        The trees stay the same until the next fit, and so does the order of the assets.
        """
        longest, every, span = self.settings.longest_ns, self.settings.every_ns, self._span
        outcomes = self._issued
        if not len(outcomes.issued) or state.issue_time - outcomes.issued.max().astype("datetime64[ns]") >= every:
            rows, refused = self._read(state)
            found = self.model.log_odds(self._features(rows), float(span / DAY), outcomes.scale)
            answered = [place for place in range(len(state.asset_ids)) if place not in refused]
            outcomes = outcomes.issue(
                state.issue_time, [state.asset_ids[place] for place in answered], found[answered],
                since=state.issue_time - _REMEMBERED * longest,
            )  # fmt: skip
        failures = state.events[self.settings.event_type]
        offset, slope = outcomes.correction(failures, state.issue_time, span=span, every=every)
        scale = corrected(outcomes.scale, offset, slope)
        return replace(self, model=replace(self.model, scale=scale), outcomes=outcomes)

    @property
    def _issued(self) -> Outcomes:
        """What was issued since the fit."""
        return Outcomes(self.model.scale) if self.outcomes is None else self.outcomes

    @property
    def _span(self) -> np.timedelta64:
        """Span whose outcomes are compared: short enough to be over soon, long enough for failures to come."""
        return self.settings.longest_ns // 2

    def predict(self, state: State) -> xr.Dataset:
        """Return the probability of a failure of each asset within each of the spans of the predictor."""
        rows, refused = self._read(state)
        x = self._features(rows)
        leads = [duration(one, what="within") for one in self.within]
        values = np.stack([self.model.probability(x, float(lead / DAY)) for lead in leads])
        return predictions(
            values,
            state=state,
            fitted=self,
            target=self.settings.event_type,
            units="1",
            lead_times=leads,
            refused={(lead, place): CantTell(text) for place, text in refused.items() for lead in range(len(leads))},
            attrs={"truth": "event", "event_type": self.settings.event_type, "link": "asset"},
        )

    def life(self, state: State) -> xr.Dataset:
        """Return quantiles of the remaining life of each asset in days; infinite where past ones went on beyond what is known."""
        rows, refused = self._read(state)
        return predictions(
            self.model.lives(self._features(rows))[None],
            state=state,
            fitted=self,
            target="remaining_life",
            units="d",
            lead_times=[np.timedelta64(0, "ns")],
            quantiles=LEVELS,
            refused={(0, place): CantTell(text) for place, text in refused.items()},
        )

    def table(self, state: State, *, within: str) -> pd.DataFrame:
        """Return a row for each asset, the highest probability first.

        Columns ``asset, probability`` (of a failure within the span), ``life_low, life_expected, life_high`` (days; 90 % between low and high;
        infinite where past cases like it went on beyond what is known), ``drivers``, ``nearest_case`` and ``cant_tell``, the reason where there is no number. Attribute
        ``usual``: the probability for an asset of which nothing is known.
        """
        rows, refused = self._read(state)
        days = float(duration(within, what="within") / DAY)
        if days > self.settings.longest_days:
            text = f"probabilities were learnt for up to {text_of(self.settings.longest_ns)}, not for {within}: fit with a longer longest="
            refused = dict.fromkeys(range(len(state.asset_ids)), text) | refused
        x = self._features(rows)
        assets = state.asset_ids
        contributions = self.model.contributions(x, days)
        similar = self.model.contributions(x, self.settings.longest_days / 2)
        middle = self.settings.spans[len(self.settings.spans) // 2]
        names, of = feature_names(self.settings)
        levels = x[:, [place for place, name in enumerate(names) if name.endswith(f", level over {middle}")]]
        out = pd.DataFrame({"asset": assets, "probability": self.model.probability(x, days)})
        out[["life_low", "life_expected", "life_high"]] = self.model.lives(x)
        out["drivers"] = driver_texts(contributions, of, levels, self.spread, self.settings)
        out["nearest_case"] = self.past.nearest(similar, assets, state.issue_time, within=self.settings.longest_days)
        out["cant_tell"] = [refused.get(place, "") for place in range(len(assets))]
        hidden = out["cant_tell"] != ""
        out.loc[hidden, ["probability", "life_low", "life_expected", "life_high"]] = np.nan
        out.loc[hidden, ["drivers", "nearest_case"]] = ""
        out = out[list(COLUMNS)].sort_values(["probability", "asset"], ascending=[False, True], ignore_index=True)
        out.attrs["usual"] = self.model.usual(days)
        return out

    def over_time(self, state: State, *, within: str, updated: bool = False) -> xr.DataArray:
        """Return the probability of a failure of each asset within a span, at each row of a state, from the rows up to it.

        Parameters
        ----------
        state : State
            Its history reaches a window further back than what is looked at.
        within : str
            Span.
        updated : bool
            As if it had been updated at each row since the fit.

        Returns
        -------
        DataArray
            Dims ``issue_time, asset``; NaN where an asset had failed, or had no value.
        """
        count = max(
            1, int((state.issue_time - state.latency - state.history["time"].values[0]) // self.settings.every_ns)
        )
        rows = rows_of(state, self.settings, count=count)
        x = rows.with_index(self.index, self.settings.index_spans)
        days = float(duration(within, what="within") / DAY)
        flat, scale = x.reshape(-1, x.shape[2]), self._issued.scale if updated else self.model.scale
        odds = self.model.log_odds(flat, days, scale).reshape(x.shape[:2])
        failures = state.events[self.settings.event_type]
        down = lives_of(failures, rows.issued, state.asset_ids, known=state.issue_time).down
        empty = np.isnan(rows.values).all(axis=2)
        if updated:
            compared = self.model.log_odds(flat, float(self._span / DAY), scale).reshape(x.shape[:2])
            offset, slope = self._corrections(rows.issued, state, np.where(down | empty, np.nan, compared))
            odds = offset[:, None] + (1 + slope[:, None]) * odds
        found = logistic(odds)
        coords = {"issue_time": rows.issued, "asset": np.array(state.asset_ids, object)}
        attrs = {"units": "1", "long_name": f"probability of {self.settings.event_type} within {within}"}
        return xr.DataArray(np.where(down | empty, np.nan, found), coords, ("issue_time", "asset"), attrs=attrs)

    def _corrections(self, issued: NDArray[np.datetime64], state: State, log_odds: Floats) -> tuple[Floats, Floats]:
        """Return offset and slope at each row (row,), from log odds (row, asset) that were issued since the fit; NaN where none was."""
        names, failures = np.array(state.asset_ids, object), state.events[self.settings.event_type]
        outcomes, found = Outcomes(self._issued.scale), []
        for when, row in zip(issued, log_odds, strict=True):
            if when < self.training[1]:
                found.append((0.0, 0.0))
                continue
            answered = ~np.isnan(row)
            outcomes = outcomes.issue(
                when, names[answered].tolist(), row[answered], since=when - _REMEMBERED * self.settings.longest_ns
            )
            begun = failures[failures["start"] < when]
            found.append(outcomes.correction(begun, when, span=self._span, every=self.settings.every_ns))
        offset, slope = np.array(found).T
        return offset, slope

    def _read(self, state: State) -> tuple[Rows, dict[int, str]]:
        """Return the rows of a state, and the reasons of the assets that get no number."""
        count = int(self.inputs.window_ns // self.settings.every_ns)
        times = state.history["time"].values
        if self.settings.usual == "begin" and times.size:
            count = int((state.issue_time - state.latency - times[0]) // self.settings.every_ns)
        rows = rows_of(state, self.settings, count=max(count, 1))
        changed = unit_refusal(self.learnt.units, state.history)
        if changed:
            return rows, dict.fromkeys(range(len(state.asset_ids)), changed)
        return rows, asset_refusals(
            self.settings, rows, self.learnt, assets=state.asset_ids, failed=self._failed(state)
        )

    def _features(self, rows: Rows) -> Floats:
        """Return the features of the newest row (asset, feature)."""
        spans = self.settings.index_spans
        found: Floats = rows.newest(max(spans, default=1)).with_index(self.index, spans)[-1]
        return found

    def _failed(self, state: State) -> dict[str, pd.Timestamp]:
        """Return the assets that have failed and aren't repaired, and since when."""
        table = state.events[self.settings.event_type]
        issued = np.array([state.issue_time])
        down = lives_of(table, issued, state.asset_ids, known=state.issue_time).down[0]
        begun = table[table["start"].notna()].groupby("asset", observed=True)["start"].max()
        return {asset: begun[asset] for asset, one in zip(state.asset_ids, down, strict=True) if one}
