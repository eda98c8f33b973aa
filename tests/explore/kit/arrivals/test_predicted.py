"""Predicted times on pages: what is stored is shown with its age, stale ones as stale, and "can't tell" with its reason."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from twinlab.explore.kit.arrivals.hints import why_no_arrivals
from twinlab.explore.kit.arrivals.html import arrivals_html, late_html
from twinlab.explore.kit.arrivals.predicted import arrival_text, arrivals_at, arrivals_of, probably_late
from twinlab.explore.kit.session import Shared
from twinlab.explore.pages.now.page import NowView
from twinlab.explore.pages.now.search_result import read_result, result_html
from twinlab.explore.views.card.html import card_html
from twinlab.explore.views.card.reading import read_card
from twinlab.model.twinmodel import TwinModel
from twinlab.predict.predictions.store import PredictionStore
from twinlab.testing import FakeTwin
from twinlab.twin.predict.round_notes import note_rounds
from twinlab.twin.predict.stored import TwinPredictions

MODEL = TwinModel.model_validate(
    {
        "twin": "parcels",
        "origin": "2026-01-01",
        "asset_types": {"parcel": {"properties": {"kind": {}}}, "truck": {}, "hub": {}},
        "event_types": {
            "leg": {
                "title": "Leg",
                "asset": "parcel",
                "links": {"truck": "truck", "origin": "hub", "destination": "hub"},
            }
        },
    }
)
ISSUED = np.datetime64("2026-01-05T12:00", "ns")
#: Parcel -> truck, planned end, delay (low, expected, high), probability, reason, can't tell.
LEGS = {
    "A": ("T1", "14:00", (10, 25, 45), 0.8, "event before (x) 40 min late (+20 min)", ""),
    "B": ("T1", "14:00", (10, 25, 45), 0.8, "event before (x) 40 min late (+20 min)", ""),
    "C": ("T2", "15:00", (-5, 1, 9), 0.05, "nothing unusual is known", ""),
    "D": ("T3", "16:00", None, np.nan, "", "it hasn't begun 7 h after its planned start, and may be cancelled"),
    "E": ("T4", "23:50", (30, 60, 95), 0.9, "truck T4 is late <b>", ""),
}


def legs() -> pd.DataFrame:
    rows = [
        {
            "event_id": f"{parcel}/1",
            "type": "leg",
            "asset": parcel,
            "start": np.datetime64("2026-01-05T10:30", "ns"),
            # C has arrived by 14:30.
            "end": np.datetime64("2026-01-05T14:30" if parcel == "C" else "NaT", "ns"),
            "planned_start": np.datetime64("2026-01-05T10:30", "ns"),
            "planned_end": np.datetime64(f"2026-01-05T{planned}", "ns"),
            "truck": truck,
            "origin": "N",
            "destination": "S",
        }
        for parcel, (truck, planned, *_) in LEGS.items()
    ]
    return pd.DataFrame(rows)


def predictions() -> xr.Dataset:
    table = legs()
    values = np.array([[np.nan] * 3 if one[2] is None else one[2] for one in LEGS.values()], float)
    texts = list(dict.fromkeys(one[5] for one in LEGS.values()))
    case = {
        "issue_time": np.full(len(LEGS), ISSUED),
        "lead_time": np.zeros(len(LEGS), "timedelta64[ns]"),
        **{name: table[name].to_numpy(object) for name in ("event_id", "asset", "truck", "origin", "destination")},
        **{name: table[name].to_numpy() for name in ("planned_start", "planned_end")},
        "late": np.array([one[3] for one in LEGS.values()]),
        "reason": np.array([one[4] for one in LEGS.values()], object),
    }
    codes = np.array([texts.index(one[5]) for one in LEGS.values()], "uint16")
    return xr.Dataset(
        {
            "end_delay": (("case", "quantile"), values, {"units": "min", "kind": "quantiles"}),
            "cant_tell": ("case", codes, {"reasons": texts}),
        },
        {**{name: ("case", one) for name, one in case.items()}, "quantile": [0.05, 0.5, 0.95]},
        {
            "target": "end_delay", "model": "delay", "model_hash": "", "training_start": "", "training_stop": "",
            "truth": "delay", "event_type": "leg", "of": "end", "late": "15min",
        },
    )  # fmt: skip


def twin_of(folder=None) -> FakeTwin:
    assets = {"parcel": list(LEGS), "truck": ["T1", "T2", "T3", "T4"], "hub": ["N", "S"]}
    tables = {kind: pd.DataFrame(index=pd.Index(ids, name="asset")) for kind, ids in assets.items()}
    twin = FakeTwin(MODEL, events={"leg": legs()}, assets=tables)
    if folder is not None:
        twin.predictions = PredictionStore(folder)
        twin.predictions.add("legs", predictions())
    return twin


@pytest.fixture(scope="module")
def shared(tmp_path_factory) -> Shared:
    return Shared(twin_of(tmp_path_factory.mktemp("predictions")))


def at(clock: str) -> np.datetime64:
    return np.datetime64(f"2026-01-05T{clock}", "ns")


def test_the_interval_and_the_plan_are_one_sentence(shared):
    table = arrivals_at(shared, at("12:10")).set_index("asset", drop=False)
    texts = {asset: arrival_text(row, MODEL, at=at("12:10")) for asset, row in table.iterrows()}
    assert texts["A"] == "arrives 14:10–14:45, planned 14:00"
    assert texts["E"] == "arrives 01-06 00:20–01:25, planned 23:50"
    assert texts["D"] == f"can't tell when it arrives, planned 16:00: {LEGS['D'][5]}"


def test_what_is_on_one_truck_is_one_line_and_the_longest_delay_is_first(shared):
    found = probably_late(arrivals_at(shared, at("12:10")))
    assert found[["truck", "events"]].values.tolist() == [["T4", 1], ["T1", 2]]
    text = late_html(found, MODEL, at=at("12:10"))
    assert "Probably late: 2" in text
    assert "Leg, 2 of them · N → S · T1" in text
    assert "80% probability of 15 min or more" in text
    # What a source wrote is text, not HTML.
    assert "truck T4 is late &lt;b&gt;" in text


def test_an_event_that_has_ended_isnt_predicted_any_more(shared):
    assert "C" in set(arrivals_at(shared, at("14:29"))["asset"])
    assert "C" not in set(arrivals_at(shared, at("14:31"))["asset"])


def test_a_prediction_is_known_from_its_issue_time_on_stale_after_an_hour_and_gone_after_a_day(shared):
    assert arrivals_at(shared, at("11:59")).empty

    def html(when: np.datetime64) -> str:
        return arrivals_html(arrivals_of(arrivals_at(shared, when), MODEL, "parcel", "A"), MODEL, at=when)

    assert "predicted 12:00 UTC, 10 min ago" in html(at("12:10"))
    assert "stale" not in html(at("12:10"))
    assert 'class="stale"' in html(at("13:30"))
    assert "1 h 30 min ago · stale" in html(at("13:30"))
    assert html(at("12:10") + np.timedelta64(1, "D")) == ""


def test_search_result_drawer_and_page_show_the_same_words(shared):
    sentence = "arrives 14:10–14:45, planned 14:00"
    found = read_result(shared, "parcel", "A", at=at("12:10"))
    assert sentence in result_html(found, MODEL, {})
    assert sentence in card_html(read_card(shared, "truck", "T1", at=at("12:10")), MODEL, {})
    page = NowView(shared.twin, shared=shared)
    page.at = at("12:10")
    assert page._foresight.late.pane.visible
    assert sentence in page._foresight.late.pane.object
    # The destination has all four that are on their way to it, each truck in one line.
    assert card_html(read_card(shared, "hub", "S", at=at("12:10")), MODEL, {}).count("<b>") == 4


def test_without_predictions_nothing_is_shown():
    shared = Shared(twin_of())
    assert arrivals_at(shared, at("12:10")).empty
    assert arrivals_html(arrivals_of(arrivals_at(shared, None), MODEL, "parcel", "A"), MODEL, at=at("12:10")) == ""
    page = NowView(shared.twin, shared=shared)
    page.at = at("12:10")
    assert not page._foresight.late.pane.visible


def test_predictions_that_cant_be_read_dont_break_the_page(tmp_path, caplog):
    twin = twin_of(tmp_path)
    twin.predictions.add("others", predictions())
    for part in (tmp_path / "legs").rglob("zarr.json"):
        part.write_text("{")
    assert set(arrivals_at(Shared(twin), at("12:10"))["name"]) == {"others"}
    assert "the predictions 'legs' can't be read" in caplog.text


def hinted(folder, **keys):
    """A twin with a rule about late legs, whose predictions are stored as far as they are in the folder."""
    data = (
        MODEL.model_dump(by_alias=True, exclude_unset=True) | {"rules": {"late": {"on": "leg", "late": "30min"}}} | keys
    )
    twin = FakeTwin(
        TwinModel.model_validate(data),
        events={"leg": legs()},
        assets={
            "parcel": pd.DataFrame(index=list(LEGS)),
            "truck": pd.DataFrame(index=["T1"]),
            "hub": pd.DataFrame(index=["N"]),
        },
    )
    twin.predictions = TwinPredictions(folder, twin)
    return twin


RULES = {"predictions": {"legs": {"delay": "leg", "every": "20min"}}}


def test_a_page_says_why_no_delays_are_shown_and_what_to_do(tmp_path):
    when, nothing = at("12:10"), hinted(tmp_path / "a")
    text = why_no_arrivals(Shared(nothing), when)
    assert text == "Delays of leg aren't predicted. In Python:  twin.delay('leg', store='legs')"
    TwinModel.model_validate(MODEL.model_dump(by_alias=True) | {"predictions": {"legs": {"delay": "leg"}}})

    waiting = hinted(tmp_path / "b", **RULES)
    assert why_no_arrivals(Shared(waiting), when) == (
        "Delays of leg are predicted each 20min while twinlab run runs; none is stored yet."
    )
    note_rounds(tmp_path / "b", at("12:05"), ["legs"], {"legs": "expected at least 100 training cases <b>, got 3"})
    text = why_no_arrivals(Shared(waiting), when)
    assert text.endswith("none was stored at 12:05 UTC. It failed: expected at least 100 training cases <b>, got 3")
    page = NowView(waiting)
    page.at = when
    assert page._foresight.late.pane.visible and "cases &lt;b&gt;, got 3" in page._foresight.late.pane.object
    for kind, asset in (("parcel", "A"), ("truck", "T1")):
        assert "It failed: " in card_html(read_card(Shared(waiting), kind, asset, at=when), waiting.model, {})

    waiting.predictions.add("legs", predictions())
    assert why_no_arrivals(Shared(waiting), when) == ""
    old = why_no_arrivals(Shared(waiting), ISSUED + np.timedelta64(30, "h"))
    assert old.startswith("The last delays were predicted 1 d 6 h ago; predictions older than a day aren't shown.")
    # Before the first prediction there was none.
    assert "none was stored" in why_no_arrivals(Shared(waiting), ISSUED - np.timedelta64(1, "h"))


def test_a_twin_whose_lateness_nobody_asks_for_has_no_hint(tmp_path):
    twin = twin_of(tmp_path)
    assert why_no_arrivals(Shared(twin), at("11:00")) == ""
    assert why_no_arrivals(Shared(hinted(tmp_path / "c")), None) == ""
    assert why_no_arrivals(Shared(hinted(tmp_path / "c")), at("12:10"), asset_type="depot") == ""
