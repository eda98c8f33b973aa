"""What-if: a plan, a run and its results, on a small parcel twin."""

import shutil
import threading

import numpy as np
import pandas as pd
import pytest
import xarray as xr

import twinlab as tl
from twinlab.demos import ParcelSize
from twinlab.errors import SchemaError, UnknownTermError
from twinlab.explore import parse_link
from twinlab.explore.kit.background.run import BackgroundRun
from twinlab.explore.views.what_if.explorer import WhatIfExplorer
from twinlab.explore.views.what_if.plan import Plan
from twinlab.explore.views.what_if.results.partial import PartialResults
from twinlab.explore.views.what_if.results.tables import ALL, all_assets
from twinlab.simulate.runs.progress import Progress
from twinlab.testing import FakeTwin

SIZE = ParcelSize(hubs=5, trucks=20, cold_rooms=1, forklifts=1, parcels_a_week=500, weeks=4)
LINK = "?page=what_if&at=2026-01-28T06:00&horizon=12h&futures=6"


@pytest.fixture(scope="module")
def twin():
    return tl.demo("parcel", size=SIZE)


@pytest.fixture(scope="module")
def ran(twin):
    """An explorer after its run."""
    view = WhatIfExplorer(twin, link=parse_link(LINK))
    view.run()
    return view


def test_nothing_is_computed_before_the_reader_asks(twin):
    view = WhatIfExplorer(twin, link=parse_link(LINK))
    assert (view.state, view.results, view.data(), view.tables()) == ("ready", None, None, {})
    assert view.notice == ""
    assert view.plan == Plan(np.datetime64("2026-01-28T06:00", "ns"), "12h", 6)


def test_a_run_shows_kpis_bands_and_what_was_assumed(ran):
    assert (ran.state, ran.notice) == ("done", "")
    assert ran.results.replications == {"base": 6}
    assert ran.data().sizes["replication"] == 6
    assert ran.signal.startswith("hub_")
    tables = ran.tables()
    assert tables["bands"]["time"].nunique() == 12
    assert len(tables["KPIs"]) == len(ran.results.kpis)
    assert len(tables["assumed"]) == len(ran.results.assumed) > 0
    assert "isn't scored yet" in ran._shown.trust._words.object
    assert ran.figure() is not None
    assert ran._map._playback.trips["trips"]["start"].size > 0
    assert ran._map._controls.visible
    assert set(ran.param.circles.objects) == {name for name in ran.results.data if name.startswith("hub_")}


def test_copied_code_gives_the_pages_numbers(ran, twin):
    names = {}
    exec(ran.code(), names)
    assert names["data"].equals(ran.data())


def test_a_link_opens_the_same_plan(ran, twin):
    again = WhatIfExplorer(twin, link=parse_link(tl.explore.format_link(ran.link())))
    assert again.plan == ran.plan


def test_another_choice_redraws_without_another_run(ran):
    before, results = ran.revision, ran.results
    ran.asset = ran.param.asset.objects[1]
    assert ran.revision > before
    assert ran.results is results
    assert set(ran.tables()["bands"]["scenario"]) == {"base"}
    ran.asset = ALL


def test_a_stored_run_is_opened_again_with_its_numbers_and_its_code(tmp_path):
    copy = tl.open(shutil.copytree(tl.demo("parcel", size=SIZE).folder, tmp_path / "twin"))
    view = WhatIfExplorer(copy, link=parse_link(LINK))
    assert not view._stored.pane.visible
    view._name.value = "calm"
    view.run()
    numbers = view.data()
    assert view._stored.pane.visible
    again = WhatIfExplorer(copy, link=parse_link("?futures=20"))
    again._stored._picked(0)
    assert again.state == "done"
    xr.testing.assert_identical(again.data().drop_attrs(), numbers.drop_attrs())
    names = {}
    exec(again.code(), names)
    assert names["data"].equals(again.data())
    assert "KPIs" in again.tables()
    copy.scenarios.delete("calm")
    again._stored._picked(0)
    assert not again._stored.pane.visible


def test_a_change_is_added_by_the_form_and_compared_with_the_base(twin):
    view = WhatIfExplorer(twin, link=parse_link(LINK))
    form = view._form
    form._kind.value = "close"
    form._fields["node"].value = str(twin.assets("hub").index[0])
    form._start.value, form._stop.value = "2h", "8h"
    form._added()
    assert [name for name, _ in view.plan.changes] == ["what_if"]
    form._kind.value = "storm"
    form._fields["factor"].value = "much"
    form._added()
    assert form._fault.visible
    assert len(view.plan.changes) == 1
    view.run()
    assert view.notice == ""
    assert view.results.scenarios == ["base", "what_if"]
    compared = view.tables()["compared with base"]
    assert len(compared) == len(view.results.kpis)
    assert set(compared["scenario"]) == {"what_if"}
    assert compared.loc[0, "KPI"] in view._shown._summary.object
    # A KPI of the twin is computed once, and compared like the model's.
    assert set(view.param.kpi.objects) >= {"twin:on_time_delivery", "twin:delay_minutes"}
    assert not {"twin:uptime", "twin:dwell"} & set(view.param.kpi.objects)
    view.kpi = "twin:on_time_delivery"
    assert "On-time delivery, 1 day from 2026-01-28" in view._shown._verdicts.object
    own = view.results.kpi("on_time_delivery", every="1d")["value"].isel(time=0)
    assert view._twin_kpis.known(view.kpi).values.tolist() == own.values.tolist()
    assert view.tables()["compared with base"]["KPI"].iloc[-1].startswith("On-time delivery")
    # More futures don't have it yet.
    view.extend()
    assert (view.state, view.notice, view.kpi) == ("done", "", "departures_on_time")
    names = {}
    exec(view.code(), names)
    assert names["data"].equals(view.data())
    form._removed(0)
    assert view.plan.scenarios == ()


@pytest.mark.parametrize(
    ("query", "notice"),
    [
        ("?horizon=1y", "1 day is"),
        ("?futures=many", "got 'many'"),
        ("?futures=1", "got '1'"),
        ("?scenarios=scenarios:%0A- {name: a, changes: [{kind: closed, node: FRA}]}", "close"),
    ],
)
def test_a_wrong_link_opens_the_page_with_a_notice(twin, query, notice):
    view = WhatIfExplorer(twin, link=parse_link(query))
    assert notice in view.notice
    assert view.plan == Plan()


def test_a_start_that_is_no_time_changes_nothing(twin):
    view = WhatIfExplorer(twin, link=parse_link(LINK))
    view._start.value = "yesterday"
    assert "2026-03-30T06:00" in view.notice
    assert view.plan.start == np.datetime64("2026-01-28T06:00", "ns")


def test_an_error_of_the_run_is_shown_and_the_page_can_be_used_again(twin):
    view = WhatIfExplorer(twin, link=parse_link("?at=2031-01-01T00:00"))
    view.run()
    assert view.state == "failed"
    assert view.notice
    assert not view._bar.run.disabled


def test_a_twin_without_trips_says_what_is_missing():
    view = WhatIfExplorer(FakeTwin.example(days=1, trips=0))
    assert view.code() == ""
    assert "origin" in str(
        view.__panel__()[0].object if hasattr(view.__panel__(), "__len__") else view.__panel__().object
    )


def test_the_model_is_scored_when_asked_and_later_runs_show_the_score(tmp_path):
    copy = tl.open(shutil.copytree(tl.demo("parcel", size=SIZE).folder, tmp_path / "twin"))
    view = WhatIfExplorer(copy, link=parse_link(LINK))
    view.run()
    assert not view._shown.trust._details.visible
    view.score()
    assert (view.state, view.notice) == ("done", "")
    words = view._shown.trust._words.object
    assert "to 2026-01-14" in words
    assert view._shown.trust._details.visible
    assert not view._shown.trust._score.visible
    assert view._shown.trust._residuals.object is not None
    again = WhatIfExplorer(tl.open(copy.folder), link=parse_link(LINK))
    again.run()
    assert again._shown.trust._words.object == words
    assert set(again.tables()["score of the model"]["quantity"]) > {"Delivered"}


# -- the plan ---------------------------------------------------------------------------------------------------------


def test_changes_of_one_scenario_are_kept_in_order_and_removed_one_by_one():
    plan = Plan().adding("storm", {"kind": "storm", "factor": 1.5}).adding("busy", {"kind": "demand", "factor": 1.2})
    plan = plan.adding("storm", {"kind": "demand", "factor": 2})
    assert [name for name, _ in plan.changes] == ["storm", "storm", "busy"]
    assert [name for name, _ in plan.without(0).changes] == ["storm", "busy"]
    assert [one.name for one in plan.without(2).scenarios] == ["storm"]
    assert "parse_scenarios" in plan.code("twin = ...")
    assert Plan().yaml == ""


@pytest.mark.parametrize(
    ("name", "change"),
    [("storm", {"kind": "storm", "factor": -1}), ("", {"kind": "demand", "factor": 2}), ("a", {"kind": "x"})],
)
def test_an_impossible_change_is_refused(name, change):
    with pytest.raises((SchemaError, UnknownTermError)):
        Plan().adding(name, change)


def test_a_run_above_its_budget_is_refused_before_anything_is_computed(twin):
    view = WhatIfExplorer(twin, link=parse_link(LINK.replace("futures=6", "futures=400") + "&budget=0.001+s"))
    assert view.plan.budget == "0.001 s"
    assert "budget='0.001 s'" in view.code()
    view.run()
    assert (view.state, view.results) == ("failed", None)
    assert view.notice.startswith("expected at most 0.001 s, but 400 replications take")
    view._budget.value = "2"
    view.run()
    assert view.notice.startswith("expected a budget such as '2 EUR'")
    view._replications.value = 20
    view._budget.value = "10 min"
    view.run()
    assert (view.state, view.notice) == ("done", "")
    assert view.link().budget == "10 min"


def test_the_form_takes_trips_away_and_sets_departures(twin):
    view = WhatIfExplorer(twin, link=parse_link(LINK))
    form = view._form
    form._kind.value = "transporters"
    group = form._fields["transporters"].value
    form._fields["add"].value = "1"
    form._added()
    assert view.plan.changes[-1] == ("what_if", f"1 trip a day fewer, {group}")
    form._kind.value = "timetable"
    form._fields["every"].value = "90 min"
    form._added()
    assert view.plan.changes[-1] == ("what_if", f"departures every 90 min, {group}")
    form._fields["every"].value = "often"
    form._added()
    assert "often" in form._fault.object
    assert len(view.plan.changes) == 2
    view.run()
    assert (view.state, view.notice) == ("done", "")
    assert view.results.replications == {"base": 6, "what_if": 6}


# -- parts ------------------------------------------------------------------------------------------------------------


def test_chunks_of_several_scenarios_are_put_together_in_the_order_of_replications():
    part = PartialResults()
    for name, numbers in (("base", [2, 3]), ("storm", [0]), ("base", [0])):
        chunk = xr.Dataset({"late": ("replication", np.array(numbers, float))}, coords={"replication": numbers})
        part.add(Progress(3, 8, 4.4, name, chunk))
    data = part.data()
    assert data["scenario"].values.tolist() == ["base", "storm"]
    assert data["late"].sel(scenario="base").dropna("replication").values.tolist() == [0, 2, 3]
    assert part.text == "3 of 8 futures, about 4 s left"


def test_numbers_of_things_add_up_over_assets_and_durations_are_averaged():
    values = xr.DataArray(
        np.array([[[[1.0, 3.0]]]]), dims=("scenario", "replication", "time", "hub"), coords={"hub": ["a", "b"]}
    )
    count = values.assign_attrs(asset_type="hub", units="1", long_name="Parcels")
    assert all_assets(count, ALL).item() == 4
    assert all_assets(count.assign_attrs(units="min"), ALL).item() == 2
    assert all_assets(count, "b").item() == 3


def test_a_run_without_a_page_reports_every_chunk_and_its_end():
    seen, ended = [], []

    def compute(*, progress, cancel):
        assert isinstance(cancel, threading.Event)
        for number in range(5):
            progress(number)
        return "found"

    BackgroundRun(compute, on_progress=seen.extend, on_end=lambda *what: ended.append(what)).start()
    assert seen == [0, 1, 2, 3, 4]
    assert ended == [("found", None)]


def test_an_unexpected_error_ends_the_run_with_its_text():
    ended = []

    def compute(*, progress, cancel):
        raise ZeroDivisionError("division by zero")

    BackgroundRun(compute, on_progress=pd.Series, on_end=lambda *what: ended.append(what)).start()
    assert ended == [(None, "ZeroDivisionError: division by zero")]
