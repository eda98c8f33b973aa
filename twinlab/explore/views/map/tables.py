"""Tables of the assets on a map: names, positions, ages of fixes, last values, with units in the titles."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from twinlab.explore.charts.choices import readable_name
from twinlab.explore.charts.scale import axis_label
from twinlab.languages import tr

if TYPE_CHECKING:
    from twinlab.explore.kit.session import Shared
    from twinlab.explore.views.map.reading import MapSnapshot
    from twinlab.model.twinmodel import TwinModel

__all__ = ["map_sheets"]


def map_sheets(shot: MapSnapshot, model: TwinModel, shared: Shared) -> dict[str, pd.DataFrame]:
    """Return one table per asset type; assets without a position come last."""
    out = {}
    for kind in shot.request.asset_types:
        spec = model.asset_types[kind]
        rows = shot.table[shot.table["asset_type"] == kind]
        assets = [*rows["asset"], *shot.unlocated.get(kind, ())]
        labels = shared.labels(kind)
        blank = [np.nan] * (len(assets) - len(rows))
        sheet: dict[str, object] = {
            "asset": assets,
            "name": [labels.get(one, one) for one in assets],
            tr("latitude (°)"): [*rows["latitude"], *blank],
            tr("longitude (°)"): [*rows["longitude"], *blank],
        }
        if rows["time"].notna().any():
            time = np.append(
                rows["time"].to_numpy("datetime64[ns]"), np.full(len(blank), np.datetime64("NaT"), "datetime64[ns]")
            )
            sheet["fix (UTC)"] = time
            age = (shot.request.at - time).astype("timedelta64[s]").astype("float64")
            sheet["age of the fix (min)"] = np.where(np.isnat(time), np.nan, (age / 60).round(1))
        for contained in shot.request.contained:
            sheet[f"{readable_name(contained)} inside"] = [
                *(one.get(contained, 0) for one in rows["inside"]),
                *[0] * len(blank),
            ]
        values = shot.values.get(kind)
        for name, signal in spec.signals.items():
            if values is not None and name in values:
                column = values[name].reindex(assets)
                title = signal.title or readable_name(name)
                if signal.states:
                    sheet[title] = [signal.states.get(int(v), "") if np.isfinite(v) else "" for v in column]
                else:
                    sheet[axis_label(title, signal.unit)] = column.to_numpy()
        out[(spec.title or readable_name(kind))[:31]] = pd.DataFrame(sheet)
    return out
