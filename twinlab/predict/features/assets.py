"""Features of assets: their properties, those of related assets at the time, and those of the whole network."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from twinlab.errors import UnknownTermError
from twinlab.model.terms import nearest
from twinlab.predict.features.cases import Cases
from twinlab.predict.features.feature import NONE, Feature
from twinlab.predict.protocol.state import State

__all__ = ["OverAssets", "Property", "Related"]


@dataclass(frozen=True)
class Property:
    """A property of the asset that is a number.

    Parameters
    ----------
    asset_type, property_name : str
    """

    asset_type: str
    property_name: str

    @property
    def name(self) -> str:
        """Name of the column."""
        return f"{self.property_name} of {self.asset_type}"

    @property
    def reach(self) -> np.timedelta64:
        """It reads no history."""
        return NONE

    def known_after(self, lead_time: np.timedelta64, latency: np.timedelta64) -> np.timedelta64:  # noqa: ARG002
        """Return 0: a property is as it was known at the issue time."""
        return NONE

    def values(self, state: State, cases: Cases) -> NDArray[np.float64]:
        """Return an array (cases,); NaN for an asset without it.

        Raises
        ------
        UnknownTermError
            If assets of the type have no such property.
        """
        table = state.assets.get(self.asset_type, pd.DataFrame())
        if self.property_name not in table.columns:
            msg = f"{self.name}: no such property{nearest(self.property_name, map(str, table.columns))}"
            raise UnknownTermError(msg)
        column = pd.to_numeric(table[self.property_name], errors="coerce").astype(float)
        numbers = np.asarray(column.reindex(list(cases.ids)), np.float64)
        return numbers[cases.asset]


@dataclass(frozen=True)
class Related:
    """A feature of the asset that a relationship leads to at the issue time, such as the hub of a truck.

    Parameters
    ----------
    relationship : str
        Its links have the asset as source, and an asset of ``asset_type`` as target; of several that are valid the last one that began.
    asset_type : str
    feature : Feature
        Computed for the target, from its history in ``Inputs.others``.
    """

    relationship: str
    asset_type: str
    feature: Feature

    @property
    def name(self) -> str:
        """Name of the column."""
        return f"{self.feature.name} at {self.relationship}"

    @property
    def reach(self) -> np.timedelta64:
        """That of the feature."""
        return self.feature.reach

    def known_after(self, lead_time: np.timedelta64, latency: np.timedelta64) -> np.timedelta64:
        """Return that of the feature: links are as known at the issue time."""
        return self.feature.known_after(lead_time, latency)

    def values(self, state: State, cases: Cases) -> NDArray[np.float64]:
        """Return an array (cases,); NaN where no link is valid.

        Raises
        ------
        UnknownTermError
            If the state has no such relationship, or no history of the type.
        """
        if self.relationship not in state.relationships:
            known = nearest(self.relationship, state.relationships)
            msg = f"{self.name}: the state has no relationship {self.relationship!r}{known}; add it to Inputs.relationships"
            raise UnknownTermError(msg)
        if self.asset_type not in state.others:
            known = nearest(self.asset_type, state.others)
            msg = f"{self.name}: the state has no history of {self.asset_type!r}{known}; add it to Inputs.others"
            raise UnknownTermError(msg)
        there = replace(state, history=state.others[self.asset_type])
        ids = tuple(there.asset_ids)
        target = self._targets(state.relationships[self.relationship], cases, {one: k for k, one in enumerate(ids)})
        rows = np.flatnonzero(target >= 0)
        out = np.full(len(cases), np.nan)
        out[rows] = self.feature.values(there, Cases(cases.issued[rows], cases.leads[rows], target[rows], ids))
        return out

    @staticmethod
    def _targets(links: pd.DataFrame, cases: Cases, places: dict[str, int]) -> NDArray[np.intp]:
        """Return the place of the target of each case; -1 where there is none."""
        out = np.full(len(cases), -1, np.intp)
        by_source = {str(one): np.asarray(rows) for one, rows in links.groupby("source", observed=True).indices.items()}
        begin = links["valid_from"].fillna(pd.Timestamp.min).to_numpy("datetime64[ns]")
        until = links["valid_until"].fillna(pd.Timestamp.max).to_numpy("datetime64[ns]")
        targets = np.array([places.get(str(one), -1) for one in links["target"]], np.intp)
        for place, asset in enumerate(cases.ids):
            rows = by_source.get(asset)
            if rows is None:
                continue
            mine = np.flatnonzero(cases.asset == place)
            for row in rows[np.argsort(begin[rows], kind="stable")]:
                valid = (begin[row] <= cases.issued[mine]) & (cases.issued[mine] < until[row])
                out[mine[valid]] = targets[row]
        return out


@dataclass(frozen=True)
class OverAssets:
    """A statistic of a feature over all assets of the state, such as the mean load of a network.

    Parameters
    ----------
    feature : Feature
    statistic : "mean", "max", "min" or "sum"
        Of the assets with a value.
    """

    feature: Feature
    statistic: Literal["mean", "max", "min", "sum"] = "mean"

    @property
    def name(self) -> str:
        """Name of the column."""
        return f"{self.statistic} over assets of {self.feature.name}"

    @property
    def reach(self) -> np.timedelta64:
        """That of the feature."""
        return self.feature.reach

    def known_after(self, lead_time: np.timedelta64, latency: np.timedelta64) -> np.timedelta64:
        """Return that of the feature."""
        return self.feature.known_after(lead_time, latency)

    def values(self, state: State, cases: Cases) -> NDArray[np.float64]:
        """Return an array (cases,)."""
        ids = tuple(state.asset_ids)
        moments = np.stack([cases.issued.astype("int64"), cases.leads.astype("int64")], axis=1)
        each, codes = np.unique(moments, axis=0, return_inverse=True)
        count = len(each)
        issued = np.repeat(each[:, 0].astype("datetime64[ns]"), len(ids))
        leads = np.repeat(each[:, 1].astype("timedelta64[ns]"), len(ids))
        every = Cases(issued, leads, np.tile(np.arange(len(ids)), count), ids)
        found = self.feature.values(state, every).reshape(count, len(ids))
        known = ~np.isnan(found)
        if self.statistic in ("min", "max"):
            worst = np.inf if self.statistic == "min" else -np.inf
            filled = np.where(known, found, worst)
            one = filled.min(axis=1, initial=worst) if self.statistic == "min" else filled.max(axis=1, initial=worst)
        else:
            one = np.where(known, found, 0.0).sum(axis=1)
            if self.statistic == "mean":
                one = one / np.maximum(known.sum(axis=1), 1)
        return np.where(known.any(axis=1), one, np.nan)[codes]
