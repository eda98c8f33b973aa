"""The asset card: one asset at a glance, at any instant."""

import asyncio

import numpy as np
import pandas as pd
import pytest

import twinlab as tl
from twinlab.explore.charts.sparkline import sparkline
from twinlab.explore.kit.session import Shared
from twinlab.explore.views.card.card import AssetCard
from twinlab.explore.views.card.html import card_html
from twinlab.explore.views.card.reading import CardData, Curve
from twinlab.model.twinmodel import TwinModel
from twinlab.testing import FakeTwin


@pytest.fixture(scope="module")
def shared():
    return Shared(FakeTwin.example(days=3, trips=60))


def html(shared, kind, asset, at=None):
    return AssetCard(
        shared.twin, kind, asset, at=None if at is None else np.datetime64(at, "ns"), shared=shared
    )._html.object


def test_it_tells_label_type_last_values_properties_and_place(shared):
    card = html(shared, "station", "NORTH")
    for text in ("North yard (NORTH)", "air temperature", "°C", "wind speed", "height", "41 m", "47."):
        assert text in card
    assert card.count("<svg") == 3
    assert "running" in card or "off" in card


def test_it_tells_what_is_wrong_and_why(shared):
    view = shared.reader
    from twinlab.events import exceptions

    found = exceptions(view, at=shared.latest())
    row = found[found["rule"] == "too_warm"].iloc[0]
    card = html(shared, "cold_room", row["asset"])
    assert "▲ high · too warm" in card
    assert "limit 8 °C" in card
    assert "Nothing is wrong" in html(shared, "station", "NORTH")


def test_an_old_value_is_greyed_and_aged(shared):
    silent = html(shared, "van", "V8")
    assert 'class="stale"' in silent
    assert "stale, " in silent
    assert 'class="stale"' not in html(shared, "cold_room", "R1", at="2026-01-02T12:00")


def test_it_tells_a_parcels_events_and_what_it_is_in(shared):
    parcel = shared.twin.relationships("aboard")["source"].iloc[0]
    card = html(shared, "parcel", parcel)
    assert "Recent events" in card
    assert "Deliveries" in card
    assert "in station" in card or "in van" in card


def test_its_buttons_ask_for_the_other_pages(shared):
    card = AssetCard(shared.twin, "van", "V1", shared=shared)
    labels = {button.label: button for button in card._links}
    assert set(labels) == {"History", "Map", "Events", "Why"}
    labels["History"].clicks += 1
    assert (card.asked.page, card.asked.asset_type, card.asked.assets) == ("history", "van", ("V1",))


def test_an_unknown_kind_is_told_in_place_of_a_card(shared):
    card = AssetCard(shared.twin, "ship", "1", shared=shared)
    assert 'role="alert"' in card._html.object
    assert card.card is None


def test_a_twin_without_data_has_a_card_too():
    twin = FakeTwin(TwinModel.model_validate({"twin": "empty", "asset_types": {"room": {}}}))
    assert "nothing has come yet" in AssetCard(twin, "room", "1")._html.object


def test_text_of_a_source_is_no_markup():
    twin = FakeTwin(
        TwinModel.model_validate({"twin": "t", "asset_types": {"room": {"properties": {"name": {}}, "label": "name"}}}),
        assets={"room": __import__("pandas").DataFrame({"name": ["<script>x"]}, index=["<i>"])},
    )
    card = AssetCard(twin, "room", "<i>")._html.object
    assert "<script>" not in card
    assert "&lt;script&gt;x" in card


def test_a_curve_has_gaps_where_nothing_was_seen():
    values = np.array([1.0, 2.0, np.nan, 4.0, 5.0])
    path = sparkline(values).split(' d="')[1].split('"')[0]
    assert path.count("M") == 2


def test_a_curves_band_covers_least_and_greatest():
    values = np.array([1.0, 2.0, 3.0])
    drawn = sparkline(values, low=values - 1, high=values + 1, label="speed")
    assert drawn.count("<path") == 2
    assert 'aria-label="speed"' in drawn
    assert "currentColor" in drawn


def test_it_turns_from_one_asset_to_another_in_place(shared):
    card = AssetCard(shared.twin, "station", "NORTH", shared=shared)
    pane = card._html
    card.turn_to("van", "V1")
    assert "North yard" in pane.object
    card.refresh()
    assert card._html is pane
    assert "North yard" not in pane.object
    assert "V1" in pane.object
    assert card.card is not None and card.card.asset == "V1"


def test_what_was_turned_to_meanwhile_isnt_overwritten(shared):
    card = AssetCard(shared.twin, "station", "NORTH", shared=shared, patient=True)
    assert "Reading station NORTH" in card._html.object

    async def turn_while_reading():
        reading = asyncio.create_task(card.refresh_later())
        await asyncio.sleep(0)
        card.turn_to("van", "V1")
        await reading
        assert card.card is None
        await card.refresh_later()

    asyncio.run(turn_while_reading())
    assert card.card is not None and card.card.asset == "V1"


def test_limits_of_an_asset_are_its_own_in_text_and_curve():
    model = {
        "twin": "t",
        "asset_types": {
            "tank": {
                "properties": {"low": {"dtype": "number", "unit": "cm"}, "high": {"dtype": "number", "unit": "cm"}},
                "signals": {
                    "level": {
                        "unit": "m",
                        "resolution": 0.01,
                        "sensor_span": [-0.5, 9],
                        "expected_span": {"from": ["low", "high"], "default": [1, 7]},
                    }
                },
            }
        },
    }
    last = pd.Series({"level": 3.0, "level_qc": 1, "level_time": np.datetime64("2026-01-01", "ns")})
    curves = {"level": Curve(np.array([1.5, 3.0, 4.5]))}

    def shown(**properties):
        card = CardData("tank", "A", "A", np.datetime64("2026-01-01", "ns"), properties, last=last, curves=curves)
        return card_html(card, TwinModel.model_validate(model), {})

    own = shown(low=200.0, high=pd.NA)
    assert "expected 1 to 7 m · sensor -0.5 to 9 m" in own
    assert "<line" not in own
    own = shown(low=200.0, high=400.0)
    assert "expected 2 to 4 m · sensor -0.5 to 9 m" in own
    assert own.count("<line") == 2


def test_each_value_is_explained_and_another_asset_closes_it(tmp_path):
    times = pd.date_range("2026-03-01", periods=5, freq="1min").strftime("%Y-%m-%dT%H:%MZ")
    file = tmp_path / "gauge.csv"
    pd.DataFrame({"time": times, "level (m)": [2.1, 2.2, 2.3, 2.4, 2.5], "flow (m3/s)": 7.0}).to_csv(file, index=False)
    twin = tl.create(tmp_path / "pilot", files=[file])
    twin.ingest(file)
    card = AssetCard(twin, "gauge", "gauge", patient=True)
    assert not card.why.visible
    card.refresh()
    assert [one["signal"] for one in card.why.items] == ["level", "flow"]
    assert card.why.visible
    card.explain("level")
    assert card.lineage.rows[["written", "file", "row"]].to_numpy().tolist() == [["2.5", "gauge.csv", 6]]
    card.turn_to("gauge", "gauge")
    assert not len(card.lineage.pane)
    assert not card.why.visible


def test_a_twin_that_cannot_explain_offers_no_why(shared):
    assert not AssetCard(shared.twin, "station", "NORTH", shared=shared).why.visible


def test_the_card_of_a_live_twin_says_how_fresh_the_asset_is(tmp_path):
    (tmp_path / "twin.yaml").write_text(
        "twin: site\norigin: 2026-01-01\nasset_types:\n  truck:\n    signals:\n"
        "      temperature: {unit: degC, resolution: 0.1, cadence: 1min}\n"
    )
    (tmp_path / "feed.yaml").write_text(
        'source: feed\ntables:\n  - table: "*"\n    time: {column: time, zone: UTC}\n    asset: {type: truck, column: truck}\n'
        "    columns: {temperature: {signal: temperature, unit: degC}}\nlive: {kind: replay, file: log.csv}\n"
    )
    twin = tl.create(tmp_path / "site", model=tmp_path / "twin.yaml", mappings=tmp_path / "feed.yaml")
    (twin.folder / "log.csv").write_text("time,truck,temperature\n2026-03-01T00:00Z,a,4\n2026-03-01T00:01Z,a,5\n")
    twin.run(once=True)
    shared = Shared(twin)
    card = html(shared, "truck", "a")
    assert "● live: last row" in card
    assert "ago from feed, stored after" in card
    # Freshness is of the present.
    assert "last row" not in html(shared, "truck", "a", "2026-03-01T00:00")
