"""Findings about KPIs and numbers of events: the change against the range of the days before, with the plan that gives it again."""

import pandas as pd
import pytest

from twinlab.ask import explain
from twinlab.ask.findings.counts import changes_of_days
from twinlab.ask.plans.plan import Span
from twinlab.model.twinmodel import TwinModel
from twinlab.testing import FakeTwin
from twinlab.testing.example_model import EXAMPLE_MODEL

SPAN = Span(start="2026-01-10T00:00:00", stop="2026-01-13T00:00:00")
BEFORE = Span(start="2026-01-07T00:00:00", stop="2026-01-10T00:00:00")


@pytest.fixture(scope="module")
def busy(example: FakeTwin) -> FakeTwin:
    """Return a twin that has ten times as many trips from 10 January on, and a KPI of them."""
    trips = example.events("trip")
    later = trips[trips["planned_start"] >= pd.Timestamp("2026-01-10")]
    more = [later.assign(event_id=later["event_id"] + f"-{copy}") for copy in range(9)]
    model = {
        **EXAMPLE_MODEL,
        "rules": {},
        "kpis": {"count": {"title": "Trips", "on": "trip", "formula": "count(trip)", "unit": "1"}},
    }
    return FakeTwin(
        TwinModel.model_validate(model), events={"trip": pd.concat([trips, *more], ignore_index=True)},
        histories={"station": example.history("station").compute()}, assets={"station": example.assets("station")},
    )  # fmt: skip


def test_a_change_of_events_is_that_of_their_days(busy: FakeTwin) -> None:
    found = next(iter(changes_of_days(busy, on=None, span=SPAN, before=BEFORE, language="en")))

    days = (
        busy.events("trip")["planned_start"]
        .dt.floor("D")
        .value_counts()
        .reindex(pd.date_range("2026-01-07", "2026-01-12"), fill_value=0)
        .sort_index()
    )
    before, now = days.iloc[:3], days.iloc[3:]
    assert found.value == now.sum() - before.sum()
    assert found.share == pytest.approx(abs(found.value) / 3 / (before.max() - before.min()))


def test_the_largest_change_may_be_one_of_events(busy: FakeTwin) -> None:
    found = explain(busy, start=SPAN.start, stop=SPAN.stop)

    finding = found["change"]
    assert finding.sentence.startswith("Largest change: ")
    assert finding.plan is not None
    answer = found.answer("change")
    assert answer is not None
    assert answer.other is not None
    assert finding.value == pytest.approx(float(answer.value or 0) - float(answer.other.value or 0))  # type: ignore[arg-type]


def test_spans_that_are_no_whole_days_have_no_daily_numbers(busy: FakeTwin) -> None:
    part = Span(start="2026-01-10T06:00:00", stop="2026-01-12T06:00:00")

    assert not list(changes_of_days(busy, on=None, span=part, before=BEFORE, language="en"))


def test_a_kpi_that_adds_up_is_compared_a_day(busy: FakeTwin) -> None:
    found = list(changes_of_days(busy, on=None, span=SPAN, before=BEFORE, kpis=True))

    events, kpi = found[0], found[-1]
    assert kpi.sentence.startswith("Largest change: Trips")
    assert kpi.value == events.value
    assert kpi.share == pytest.approx(events.share)
