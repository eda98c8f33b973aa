"""The values that a model reads, as rows with an instant: its features, or the variables of histories that it is fitted to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from twinlab.model.mapping import Mapping as SourceMapping
from twinlab.predict.conformal.predictor import FittedConformal
from twinlab.predict.features.cases import Cases
from twinlab.predict.features.clock import Calendar, LeadTime
from twinlab.predict.features.feature import matrix
from twinlab.predict.features.predictor import FittedFeaturePredictor
from twinlab.predict.protocol.inputs import Inputs
from twinlab.predict.protocol.state import State

__all__ = ["InputTable", "input_table", "sources_of", "unit_changes", "units_of"]

#: Rows of features that are computed at most.
_MOST: Final = 40_000


@dataclass(frozen=True)
class InputTable:
    """Inputs of a model.

    Parameters
    ----------
    names : tuple of str
    times : array (row,)
        Instants, ns.
    values : array (row, input)
    """

    names: tuple[str, ...]
    times: NDArray[np.int64]
    values: NDArray[np.float64]

    def since(self, first: np.datetime64) -> InputTable:
        """Return the rows from an instant on."""
        rows = self.times >= int(first.astype("datetime64[ns]").astype("int64"))
        return InputTable(self.names, self.times[rows], self.values[rows])


def input_table(fitted: object, state: State) -> InputTable:
    """Return what a model read in the span of a state's history.

    Of a predictor made of features these are its features at the issue times that it is trained on, without calendar and lead time, which don't
    drift; of others the cells of all variables that the state has, those of its own and of other asset types.

    Parameters
    ----------
    fitted : object
    state : State
        With the history of the whole span, see `twinlab.predict.read_state`.
    """
    inner = fitted.inner if isinstance(fitted, FittedConformal) else fitted
    if isinstance(inner, FittedFeaturePredictor):
        return _features(inner, state)
    return _variables(state)


def _features(fitted: FittedFeaturePredictor, state: State) -> InputTable:
    of = fitted.of
    features = [one for one in of.read if not isinstance(one, (Calendar, LeadTime))]
    issued = of.training_times(state)
    # Whole issue times, evenly: each is a row for each asset.
    count = max(1, _MOST // max(1, len(state.asset_ids)))
    issued = issued[:: -(-len(issued) // count)] if len(issued) > count else issued
    cases = Cases.grid(issued, of.leads[:1], state.asset_ids)
    names = tuple(one.name for one in features)
    return InputTable(names, cases.issued.astype("int64"), matrix(features, state, cases))


def _variables(state: State) -> InputTable:
    # A row for each cell of each asset; types have different numbers of assets: the others are repeated to fill up to the largest.
    found = [
        (f"{name} of {kind}" if kind else str(name), values.transpose("time", "asset"))
        for kind, data in (("", state.history), *state.others.items())
        for name, values in data.data_vars.items()
        if values.size
    ]
    if not found:
        return InputTable((), np.empty(0, "int64"), np.empty((0, 0)))
    times = np.unique(np.concatenate([one["time"].values.astype("datetime64[ns]") for _, one in found]))
    width = max(one.sizes["asset"] for _, one in found)
    values = np.full((len(times), width, len(found)), np.nan)
    for place, (_, one) in enumerate(found):
        rows = np.searchsorted(times, one["time"].values)
        values[rows, :, place] = one.values[:, np.arange(width) % one.sizes["asset"]]
    names = tuple(name for name, _ in found)
    return InputTable(names, np.repeat(times.astype("int64"), width), values.reshape(-1, len(found)))


def sources_of(mappings: Mapping[str, SourceMapping], inputs: Inputs) -> tuple[str, ...]:
    """Return the sources whose mapping gives values or events of what a model reads."""
    wanted = {inputs.asset_type, *inputs.others, *inputs.events}
    return tuple(name for name, one in sorted(mappings.items()) if wanted & _given(one))


def _given(mapping: SourceMapping) -> set[str]:
    """Return the asset types and event types of which a mapping gives something."""
    tags = [mapping.stream.tags] if mapping.stream is not None else []
    found: set[str] = set()
    for table in mapping.tables:
        tags += [table.columns, table.tags]
        found |= {table.asset.type} if table.asset is not None else set()
        found |= {one.type for one in table.events} | {one.type for one in table.assets}
    rules = (rule for each in tags for several in each.values() for rule in several)
    return found | {rule.asset.partition("/")[0] for rule in rules if rule.asset is not None}


def units_of(state: State) -> dict[str, str]:
    """Return the unit of each variable that a state has; those of other asset types as ``"name of type"``."""
    out = {}
    for kind, data in (("", state.history), *state.others.items()):
        for name, values in data.data_vars.items():
            out[f"{name} of {kind}" if kind else str(name)] = str(values.attrs.get("units", ""))
    return out


def unit_changes(before: Mapping[str, str], after: Mapping[str, str]) -> list[str]:
    """Return the variables whose unit has changed, in words.

    >>> unit_changes({"temperature": "degC"}, {"temperature": "degF"})
    ['temperature is in degF now, the model was trained on degC']
    """
    return [
        f"{name} is in {after[name] or 'no unit'} now, the model was trained on {unit or 'no unit'}"
        for name, unit in before.items()
        if name in after and after[name] != unit
    ]
