"""The picture of what differs between two states."""

import holoviews as hv
import numpy as np
import pandas as pd

from twinlab.explore.charts.changes import changes_chart


def table(assets: int) -> pd.DataFrame:
    rows = [
        (
            "room",
            "temperature",
            "degC",
            f"r{n:02d}",
            pd.Timestamp("2026-01-01") + pd.Timedelta(day, "D"),
            10 + n,
            day - 1.0,
        )
        for n in range(assets)
        for day in range(3)
    ]
    found = pd.DataFrame(rows, columns=["asset_type", "signal", "unit", "asset", "period", "cells", "mean_change"])
    return found.assign(flags_changed=0, mean_before=1.0, mean_after=2.0)


def test_each_signal_has_a_map_with_a_row_for_each_asset():
    cells = pd.concat([table(3), table(2).assign(signal="humidity", unit="%")])
    layout = changes_chart(cells)
    assert [len(part) for part in layout] == [6, 9]
    state = hv.renderer("bokeh").get_plot(layout).state
    assert state is not None
    assert (
        "humidity: mean change, 63 cells changed"
        in hv.Store.lookup_options("bokeh", list(layout)[0], "plot").kwargs["title"]
    )


def test_of_many_assets_those_with_the_most_cells_are_drawn_and_the_title_says_so():
    (part,) = changes_chart(table(60))
    assert set(part.dimension_values("asset")) == {f"r{n:02d}" for n in range(20, 60)}
    assert "20 more assets aren't drawn" in hv.Store.lookup_options("bokeh", part, "plot").kwargs["title"]


def test_no_change_and_changes_of_flags_alone_can_be_drawn():
    assert len(changes_chart(table(0))) == 1
    flags = table(1).assign(mean_change=np.nan, cells=0, flags_changed=4)
    assert hv.renderer("bokeh").get_plot(changes_chart(flags)) is not None
