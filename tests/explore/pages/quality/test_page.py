"""The Quality page: counts of flags, and the source rows of a cell."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from twinlab.errors import SourceError
from twinlab.explore.kit.link import Link, parse_link
from twinlab.explore.pages.quality.counts import flag_counts
from twinlab.explore.pages.quality.page import QualityView
from twinlab.explore.pages.quality.tables import sample_rows, verdict_html
from twinlab.model.flags import Flag
from twinlab.model.twinmodel import TwinModel
from twinlab.testing import FakeTwin

# Bokeh 3.9 resets an index in place, which pandas 3.1 deprecates.
pytestmark = pytest.mark.filterwarnings("ignore:The inplace keyword in DataFrame")

WHOLE = (np.datetime64("2026-01-01", "ns"), np.datetime64("2026-03-02", "ns"))


@pytest.fixture(scope="module")
def twin():
    return FakeTwin.example(days=60, trips=20)


def one_room(value, flag=None):
    """A room with a temperature every minute."""
    model = TwinModel.model_validate(
        {"twin": "t", "asset_types": {"room": {"signals": {"temperature": {"unit": "degC", "resolution": 0.1}}}}}
    )
    time = np.datetime64("2026-01-01", "ns") + np.arange(len(value)) * np.timedelta64(1, "m")
    data = {"temperature": (("time", "asset"), np.array(value, float)[:, None])}
    if flag is not None:
        data["temperature_qc"] = (("time", "asset"), np.array(flag, "uint8")[:, None])
    return FakeTwin(model, histories={"room": xr.Dataset(data, coords={"time": time, "asset": ["3"]})})


class WithRows(FakeTwin):
    """A fake that knows where its samples came from."""

    def observations(self, asset, signal, *, start=None, stop=None):
        kind, _, name = asset.partition("/")
        value = self.history(kind, signals=[signal], assets=[name], start=start, stop=stop)[signal].isel(asset=0)
        value = value.dropna("time")
        columns = {"time": value.time.values, "value": value.values, "written": value.values * 1.8 + 32}
        rows = pd.DataFrame(columns)
        return rows.assign(written_unit="degF", source="fridges", file="fridges.csv", row=np.arange(len(rows)) + 2)


@pytest.mark.parametrize(
    "window", [WHOLE, (np.datetime64("2026-01-18T20:00", "ns"), np.datetime64("2026-01-19T20:00", "ns"))]
)
def test_counts_are_those_of_the_flags_in_the_history(twin, window):
    counts = flag_counts(twin, window).set_index(["asset_type", "signal"])
    flags = twin.history("station", start=window[0], stop=window[1])
    for signal in ("temperature", "wind_speed", "fan"):
        for flag in Flag:
            found = counts.loc[("station", signal), flag.name.lower()]
            assert found == int((flags[f"{signal}_qc"].values == flag).sum())


def test_the_worst_signal_comes_first(twin):
    counts = flag_counts(twin, WHOLE)
    bad = counts["fail"] / (counts["pass"] + counts["suspect"] + counts["fail"] + counts["missing"])
    assert (np.diff(bad) <= 0).all()
    last = counts.iloc[-1]
    assert (last["not_pass"], last["coverage"]) == (0.0, 100.0)


def test_the_verdict_says_that_everything_passed():
    twin = one_room(np.ones(60))
    view = QualityView(twin)
    assert "Everything passed" in view._verdict.object
    assert "All 60 samples of 1 signal" in view._verdict.object


def test_the_verdict_never_rounds_a_failure_away():
    counts = pd.DataFrame({"fail": [1], "missing": 0, "suspect": 0, "pass": 10**9, "not_evaluated": 0})
    said = verdict_html(counts, WHOLE)
    assert "less than 0.01 %" in said
    assert "1 of 1 signal has samples" in said


@pytest.mark.parametrize(
    ("twin", "says"),
    [
        (one_room([np.nan] * 9, [Flag.NOT_EVALUATED] * 9), "Nothing was judged yet"),
        (FakeTwin(TwinModel.model_validate({"twin": "new"})), "Nothing to judge"),
    ],
)
def test_a_twin_without_flags_gives_a_message(twin, says):
    view = QualityView(twin)
    view.__panel__()
    if view.heat.shown is None:
        assert not view.tables()
        assert verdict_html(flag_counts(twin, WHOLE), WHOLE).count(says) == 1
    else:
        assert says in view._verdict.object


def test_a_signal_selected_in_the_table_is_shown_on_the_heat_map(twin):
    view = QualityView(twin)
    place = int(view._summary.index[view._summary["signal"] == "wind_speed"][0])
    view._grid.selection = [place]
    assert (view.heat.asset_type, view.heat.signal, view.heat.heat) == ("station", "wind_speed", "flags")


def test_a_click_on_a_cell_shows_its_samples(twin):
    view = QualityView(twin, link=Link(asset_type="station", signals=("wind_speed",)))
    row, column = np.argwhere(view.heat.rows.worst == Flag.FAIL)[0]
    view.heat._on_pick(int(row), int(column))
    first = view.tables()["samples"].iloc[0]
    assert (first["flag"], first["value"]) == ("fail", 1048.36)
    assert view.chosen == ("station", "EAST")
    assert view.link().assets == ("EAST",)
    assert view.signals.shown[0] < view.heat.picked[1][0]
    again = QualityView(twin, link=parse_link(view.url()))
    assert again.tables()["samples"].iloc[0]["value"] == 1048.36
    view.heat.picked = None
    assert "samples" not in view.tables()
    assert not len(view._beneath)


def test_samples_come_with_the_rows_they_were_read_from(twin):
    base = one_room([1.0, np.nan, 3.0], [Flag.PASS, Flag.MISSING, Flag.SUSPECT])
    rows = WithRows(base.model, histories=base._histories)
    start = np.datetime64("2026-01-01", "ns")
    table = sample_rows(rows, "room", "3", "temperature", (start, start + np.timedelta64(3, "m")))
    assert table["flag"].tolist() == ["missing", "suspect", "pass"]
    assert table["file"].tolist()[1:] == ["fridges.csv"] * 2
    assert table["row"].tolist()[1:] == [3, 2]
    assert table["written_unit"].tolist()[1:] == ["degF"] * 2


def test_a_window_that_cannot_be_counted_gives_a_notice(twin, monkeypatch):
    view = QualityView(twin)

    def gone(*_, **__):
        message = "expected the disk, but it's gone"
        raise SourceError(message)

    monkeypatch.setattr("twinlab.explore.pages.quality.page.flag_counts", gone)
    view.heat.window = (WHOLE[0], WHOLE[0] + np.timedelta64(5, "D"))
    assert "it's gone" in view.notice


def test_an_error_replaces_the_table_if_the_first_count_fails(monkeypatch):
    def gone(*_, **__):
        message = "expected the disk, but it's gone"
        raise SourceError(message)

    with monkeypatch.context() as broken:
        broken.setattr("twinlab.explore.pages.quality.page.flag_counts", gone)
        view = QualityView(one_room(np.ones(60)))
    said, again = view._table[0]
    assert "The table of flags can't be shown" in said.object
    assert view.heat.rows is not None
    again.clicks += 1
    assert view._table[0] is view._grid
    assert "Everything passed" in view._verdict.object


def test_the_code_gives_the_data_of_the_heat_map(twin):
    view = QualityView(twin)
    namespace = {}
    exec(view.code(), namespace)
    again = view.data()
    xr.testing.assert_identical(namespace["data"].isel(asset=slice(0, 3)), again.isel(asset=slice(0, 3)))
    assert "flags by signal" in view.tables()
