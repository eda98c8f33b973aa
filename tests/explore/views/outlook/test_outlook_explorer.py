"""Outlook: risks, forecasts, comparisons with what happened and models, by setting choices and reading what is shown."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from tests.explore.views.outlook.conftest import PumpTwin, pump_twin
from tests.predict.failure.conftest import failures_of, history_of
from twinlab.compute import Handle
from twinlab.errors import SchemaError
from twinlab.explore import Link, Shared, format_link, parse_link
from twinlab.explore.views.outlook.computing import Steps
from twinlab.explore.views.outlook.explorer import OutlookExplorer
from twinlab.explore.views.outlook.possible import failing_types, forecast_signals, has_outlook
from twinlab.explore.views.outlook.requests import FailureTest
from twinlab.predict import ByEventTime, Inputs, SeasonalNaive, SignalTarget, fit_on
from twinlab.testing import FakeTwin


@pytest.fixture(scope="module")
def shared(pumps):
    return Shared(pumps)


@pytest.fixture(scope="module")
def risks(pumps, shared):
    view = OutlookExplorer(pumps, shared=shared, link=parse_link("?page=outlook&part=risk&within=7d&at=2026-03-02"))
    view.compute()
    return view


@pytest.fixture
def forecasts(pumps, shared):
    view = OutlookExplorer(pumps, shared=shared, link=Link(part="forecast", signals=("noise",), horizon="24h"))
    view.compute()
    return view


def test_nothing_is_computed_before_the_reader_asks(pumps):
    fits = PumpTwin.fits
    view = OutlookExplorer(pumps)
    for part in ("risk", "forecast", "checks", "models"):
        view.part = part
    assert (view.notice, view.data(), view.tables(), view.code()) == ("", None, {}, "")
    assert PumpTwin.fits == fits


def test_the_list_is_worst_first_with_reasons_on_a_map(risks, pumps):
    assert risks.shown.fault == ""
    table = risks.data()
    expected = pumps.maintenance_list("pump", at="2026-03-02", fitted=pumps.fit_failure("pump", known="2026-03-02"))
    pd.testing.assert_frame_equal(table, expected)
    urgent = table[table["action"].isin(["act now", "plan", "watch"])]
    assert len(urgent)
    cards = risks.shown._cards
    assert len(cards) == len(urgent)
    first = cards[0][0].object
    assert f"{urgent.iloc[0]['action'].capitalize()}: {urgent.iloc[0]['asset']}" in first
    assert "Nearest past case" in first
    assert "No costs are stated" in risks.shown._head.object
    assert "issued 2026-03-02" in risks.shown.bar.status.object
    assert "the history goes on to 2026-03-12" in risks.shown.bar.status.object
    drawn = risks.shown.map_table()
    assert drawn["latitude"].notna().all()
    assert len(risks.shown._map.object.renderers) >= drawn["action"].nunique()


def test_other_spans_and_costs_reuse_the_fit(risks):
    fits = PumpTwin.fits
    risks.shown.within.value = "2d"
    assert "choices have changed" in risks.shown.bar.status.object
    risks.shown.acting.value, risks.shown.failing.value = "300", "overhaul"
    risks.compute()
    assert PumpTwin.fits == fits
    assert set(risks.data()["cost_of_acting"]) == {300.0}
    assert "waiting is expected to cost" in str(risks.shown._cards[0][0].object) or not len(risks.shown._cards)
    assert "acting=300.0, failing='overhaul'" in risks.code()
    again = OutlookExplorer(risks.twin, link=parse_link(format_link(risks.link())))
    assert again.link() == risks.link()
    risks.shown.within.value = "7d"


def test_too_few_failures_say_why(tmp_path):
    pytest.importorskip("lightgbm")
    view = OutlookExplorer(pump_twin(tmp_path, events={"pump_failure": failures_of().head(3)}), link=Link(part="risk"))
    view.compute()
    assert "**Can't tell**" in view.shown._head.object
    assert "3 past failures" in view.shown._head.object
    assert len(view.shown._cards) == 0


def test_a_missing_property_and_a_wrong_instant_are_said_on_the_page(risks):
    before = risks.data()
    risks.shown.at.value = "yesterday-ish"
    risks.compute()
    assert "isn't a time" in risks.shown._alert.object
    risks.shown.at.value = "2026-03-02"
    risks.shown.acting.value = "overhaull"
    risks.compute()
    assert "overhaul" in risks.shown._alert.object
    assert risks.shown._alert.visible
    assert risks.data() is before
    risks.shown.acting.value = ""


def test_a_fan_shows_earlier_forecasts_and_what_came(forecasts):
    assert forecasts.shown.fault == ""
    data = forecasts.data()
    assert data.sizes["issue_time"] == 4
    assert "outcomes were within their bands (90 % promised)" in forecasts.shown._words.object
    labels = {str(one.label) for one in forecasts.figure().values()}
    assert {"newest", "earlier", "what came"} <= labels
    came = forecasts.shown.result.actual
    assert came["time"].values[-1] == data["issue_time"].values[-1]
    tables = forecasts.tables()
    assert tables["forecasts"]["true"].notna().sum() == 3 * 24 * 10
    names = {"twin": forecasts.twin}
    exec(forecasts.code().replace(forecasts.open_code, ""), names)
    assert names["data"].identical(data)
    again = OutlookExplorer(forecasts.twin, link=parse_link(format_link(forecasts.link())))
    assert again.link() == forecasts.link()


def test_another_asset_is_drawn_without_a_new_forecast(forecasts):
    before = forecasts.data()
    forecasts.shown.asset.value = "P3"
    assert forecasts.data() is before
    assert forecasts.settings()["drawn asset"] == "P3"


def test_a_forecast_that_cant_tell_says_why(tmp_path):
    history = history_of(failures_of())
    history["noise"][:] = 60.0
    view = OutlookExplorer(pump_twin(tmp_path, histories={"pump": history}), link=Link(part="forecast", signals=("noise",), replications="0"))  # fmt: skip
    view.compute()
    assert "**Can't tell**" in view.shown._words.object
    assert "constant" in view.shown._words.object


def test_stored_forecasts_are_compared_with_what_came(pumps):
    if "noise" not in pumps.predictions:
        for at in ("2026-02-20", "2026-03-01"):
            pumps.forecast("pump", "noise", horizon="24h", step="1h", at=at, store="noise")
    view = OutlookExplorer(pumps, link=Link(part="checks", stored="noise"))
    view.compute()
    assert view.shown.fault == ""
    assert view.data()["cases"].sum() == 2 * 24 * 10
    assert "were within their interval" in view.shown.words()
    pd.testing.assert_frame_equal(view.data(), pumps.predictions.score("noise"))
    assert view.figure() is not None


def test_probabilities_of_failure_are_tested_on_the_past(pumps):
    view = OutlookExplorer(pumps, link=Link(part="checks", stored="test of pump"))
    view.compute()
    assert view.shown.fault == ""
    test = view.shown.result.test
    assert min(test.issued) >= test.known
    # The probabilities of the tests' models are of two spans.
    assert view.data()["cases"].sum() == 2 * 10 * len(test.issued)
    assert "predicted on average" in view.shown.words()
    names = {"twin": pumps}
    exec(view.code().replace(view.open_code, ""), names)
    pd.testing.assert_frame_equal(names["data"], view.data())


def test_few_outcomes_are_said_to_be_too_few(pumps):
    view = OutlookExplorer(pumps, link=Link(part="checks", stored="test of pump"))
    view.shown.result = None
    view.compute()
    result = view.shown.result
    object.__setattr__(result, "table", result.table.assign(observed=0.0))
    assert view.shown.words().startswith("**Too few to judge**")
    object.__setattr__(result, "table", result.table.head(0))
    assert "has a known outcome yet" in view.shown.words()
    assert view.figure() is None


def test_a_history_of_days_is_too_short_for_a_test():
    day = np.datetime64("2026-01-01", "ns")
    with pytest.raises(SchemaError, match="five weeks"):
        FailureTest.of("pump", (day, day + np.timedelta64(20, "D")), by_event_time=True)


def test_cancelling_keeps_what_was_shown(risks, monkeypatch):
    part, before = risks.shown, risks.data()

    def stopped(_request: object, steps: Steps) -> object:
        part.cancel()
        steps.at(1, 2, "never")
        return None

    monkeypatch.setattr(part, "computed", stopped)
    risks.compute()
    assert risks.data() is before
    assert part.bar.status.object.startswith("Cancelled.")
    assert not part._alert.visible


def test_models_are_shown_with_their_state(pumps, monkeypatch):
    # A twin in memory can't be opened again by another thread.
    monkeypatch.setattr(Handle, "of", classmethod(lambda cls, twin: cls(None, twin)))
    if "vibration" not in pumps.models.names:
        inputs = Inputs("pump", ("vibration",), step="1h", window="3d", training="30d")
        naive = SeasonalNaive(inputs, SignalTarget("vibration", "mm/s"), ("6h", "12h"))
        fitted = fit_on(naive, pumps, known="2026-02-20", knowledge=ByEventTime())
        pumps.models.add("vibration", fitted, owner="pump team", knowledge=ByEventTime())
    view = OutlookExplorer(pumps, link=Link(part="models"))
    assert "vibration" in view.shown._shown.object
    assert "not checked yet" in view.shown._shown.object
    assert "pump team" in view.shown._card.object
    view.compute()
    assert view.shown.fault == ""
    assert view.shown.result["vibration"][0] in ("fine", "retrain proposed", "can't tell")
    assert "not checked yet" not in view.shown._shown.object
    assert set(view.tables()) == {"models", "checked"}


def test_plain_data_and_twins_without_failures_have_friendly_empty_states(tmp_path):
    plain = FakeTwin.example(days=2, trips=10)
    view = OutlookExplorer(plain, link=Link(part="risk"))
    assert (view.data(), view.code(), view.link()) == (None, "", Link())
    assert "Nothing can be predicted here" in view.__panel__().object
    assert not has_outlook(plain)
    assert failing_types(plain.model) == []
    twin = PumpTwin(plain.model)
    twin.folder = tmp_path
    assert has_outlook(twin)
    empty = OutlookExplorer(twin)
    assert empty.part == "forecast"
    for part, title in (("risk", "No failures"), ("checks", "no predictions"), ("models", "No model")):
        empty.part = part
        assert title in empty.shown.pane[0].object


def test_positions_and_states_are_no_signals_to_forecast(pumps):
    assert forecast_signals(pumps.model) == {"pump": ["vibration", "noise"]}


def test_wrong_values_of_a_link_are_a_notice(pumps):
    link = parse_link("?page=outlook&part=forecast&type=pumpe&signal=noisy&horizon=3h&futures=x")
    view = OutlookExplorer(pumps, link=link)
    for word in ("pumpe", "noisy", "3h", "'x'"):
        assert word in view.notice


def test_an_excel_file_has_the_list(risks, tmp_path):
    path = risks.to_excel(tmp_path / "risks.xlsx")
    with pd.ExcelFile(path) as book:
        assert "maintenance list" in book.sheet_names
    assert (risks.report(tmp_path / "risks.html")).stat().st_size > 1000
