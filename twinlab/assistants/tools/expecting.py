"""Tools about what may come: a forecast of a signal, and what a simulation would cost."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
import pandas as pd
from pydantic import Field

from twinlab.assistants.results.schemas import Result
from twinlab.assistants.results.tables import instant_of, table_of
from twinlab.assistants.tools.arguments import Arguments, Instant, Name, Paged, known_assets, known_name
from twinlab.assistants.tools.call import Call
from twinlab.assistants.tools.tool import Tool
from twinlab.errors import SchemaError
from twinlab.model.basics import Duration

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["EXPECTING"]

_QUANTILES = (0.05, 0.5, 0.95)
_MOST_CHANGES = 10_000


class ForecastArguments(Paged):
    """Arguments of `forecast`."""

    asset_type: Name
    """Asset type."""
    signal: Name
    """Signal of the type; a state can't be forecast."""
    horizon: Duration
    """How far ahead, such as ``24h``; a multiple of the step."""
    assets: Annotated[list[Name], Field(min_length=1, max_length=200)] | None = None
    """Ids that are shown; by default all."""
    step: Duration | None = None
    """By default the finest with at most a hundred lead times."""


class QuoteArguments(Arguments):
    """Arguments of `what_if_quote`."""

    changes: Annotated[list[dict[str, Any]], Field(max_length=20)] = Field(default_factory=list)
    """Changes as in a scenario of twinlab, such as ``{"kind": "close", "node": "north", "stop": "6h"}``; none is the twin as it is."""
    start: Instant | None = None
    """Where the simulation would go on from; by default the present."""
    horizon: Duration = "1d"
    """How far ahead."""
    replications: Annotated[int, Field(ge=1, le=100_000)] = 100
    """Independent runs."""


def _forecast(call: Call, given: ForecastArguments) -> Result:
    twin = call.caller.twin
    ids = known_assets(twin, given.asset_type, given.assets)
    spec = twin.model.asset_types[given.asset_type].signals
    signal = known_name(given.signal, list(spec), "signal")
    data = call.caller.call(
        "forecast", given.asset_type, signal, horizon=given.horizon, step=given.step, quantiles=_QUANTILES
    )
    table, reasons = _forecast_rows(data, ids)
    known = int(table["middle"].notna().sum())
    said = f"Forecasts of {signal} of {table['asset'].nunique()} assets, {given.horizon} ahead, with bounds of 90 %."
    issued = pd.Timestamp(data["issue_time"].values[-1])
    unit = spec[signal].unit
    return Result(
        says=said if known else "The twin can't tell: " + "; ".join(reasons), known=known > 0, rows_used=known,
        data_until=instant_of(issued), notes=[f"not known: {one}" for one in reasons] if known else [],
        table=table_of(table, units=dict.fromkeys(("low", "middle", "high"), unit), first=given.offset,
                       rows=min(given.limit, call.limits.rows)),
    )  # fmt: skip


def _forecast_rows(data: xr.Dataset, ids: list[str] | None) -> tuple[pd.DataFrame, list[str]]:
    """Return asset, instant and three quantiles of the last forecast, and reasons of what isn't known."""
    from twinlab.predict.predictions.schema import reasons  # noqa: PLC0415  (the room is loaded by the first forecast)

    last = data.isel(issue_time=-1)
    if ids is not None:
        last = last.sel(asset=[one for one in last["asset"].values if str(one) in ids])
    name = next(str(one) for one in last.data_vars if "quantile" in last[one].dims)
    values = last[name].transpose("asset", "lead_time", "quantile").values
    assets, leads = last["asset"].values, last["lead_time"].values
    frame = pd.DataFrame({
        "asset": np.repeat(assets.astype(str), len(leads)),
        "time": np.tile(last["issue_time"].values + leads, len(assets)),
        **{column: values[..., place].reshape(-1) for place, column in enumerate(("low", "middle", "high"))},
    })  # fmt: skip
    said = sorted({str(one) for one in reasons(last).values.reshape(-1)} - {""})
    return frame, said


def _quote(call: Call, given: QuoteArguments) -> Result:
    from twinlab.simulate.scenarios.scenario import Scenario  # noqa: PLC0415  (reading needs no simulation)

    if len(json.dumps(given.changes)) > _MOST_CHANGES:
        msg = f"expected changes of at most {_MOST_CHANGES} characters"
        raise SchemaError(msg)
    changes: Any = given.changes
    scenarios = [Scenario("asked", None, changes)] if changes else None
    quote = call.caller.call(
        "quote_simulation",
        scenarios,
        start=given.start or "now",
        horizon=given.horizon,
        replications=given.replications,
    )
    rows = [
        {"what": name, "value": one.value, "low": one.low, "high": one.high, "unit": one.unit, "from": one.source}
        for name, one in quote.amounts().items()
    ]
    names = "the twin as it is" if scenarios is None else f"{len(given.changes)} changes beside the twin as it is"
    return Result(
        says=f"{quote.replications} replications of {names} over {given.horizon} would take: {quote}. Nothing was run but the first of them.",
        value=quote.seconds.value, unit="s", notes=["a person runs it in the page What-if, or in Python by twin.simulate"],
        table=table_of(pd.DataFrame(rows), units={}, first=0, rows=len(rows)),
    )  # fmt: skip


EXPECTING = (
    Tool("forecast", "Forecast of a signal", "Forecast a signal of each asset, with bounds that 90 % of values are expected in; or says why the twin can't tell.",
         ForecastArguments, _forecast, page="outlook", function="forecast"),
    Tool("what_if_quote", "Cost of a what-if", "What a simulation of changes from the present state would take: seconds, energy, money. It isn't run.",
         QuoteArguments, _quote, page="what_if", function="quote_simulation"),
)  # fmt: skip
