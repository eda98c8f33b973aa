"""The numbers of answers, against pandas on the same data."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from twinlab.ask import ask
from twinlab.events import delays
from twinlab.model.flags import Flag
from twinlab.testing import FakeTwin

START, STOP = pd.Timestamp("2026-01-12"), pd.Timestamp("2026-01-19")


def _good(twin: FakeTwin, kind: str, signal: str) -> pd.DataFrame:
    data = twin.history(kind, signals=[signal], start=START, stop=STOP)
    values, flags = data[signal].values, data[f"{signal}_qc"].values
    good = np.where(np.isin(flags, [Flag.PASS, Flag.SUSPECT, Flag.NOT_EVALUATED]), values, np.nan)
    return pd.DataFrame(good, index=data["time"].values, columns=list(data["asset"].values))


def test_a_mean_is_that_of_all_usable_values(example: FakeTwin) -> None:
    answer = ask(example, "average temperature of stations last week")

    table = _good(example, "station", "temperature")
    assert answer.value == pytest.approx(np.nanmean(table.to_numpy()))
    assert answer.unit == "degC"
    by_asset = answer.table.set_index("asset")["value"]
    assert by_asset.to_dict() == pytest.approx(table.mean().dropna().to_dict())


@pytest.mark.parametrize(("word", "statistic"), [("highest", "max"), ("lowest", "min")])
def test_an_extreme_has_its_asset_and_time(word: str, statistic: str, example: FakeTwin) -> None:
    answer = ask(example, f"which station had the {word} temperature last week")

    table = _good(example, "station", "temperature")
    stacked: Any = table.stack()
    time, asset = stacked.idxmax() if statistic == "max" else stacked.idxmin()
    assert answer.value == (stacked.max() if statistic == "max" else stacked.min())
    assert list(answer.table[["asset", "time"]].iloc[0]) == [asset, time]


def test_the_latest_value_is_the_newest_usable_one(example: FakeTwin) -> None:
    answer = ask(example, "current temperature of stations", now=STOP)

    table = _good(example, "station", "temperature")
    found = answer.table.set_index("asset")
    for asset in table:
        last = table[asset].dropna()
        if len(last):
            assert found["value"][str(asset)] == last.iloc[-1]
            assert found["time"][str(asset)] == last.index[-1]


def test_episodes_are_those_of_find_cut_to_the_span(example: FakeTwin) -> None:
    answer = ask(example, "how long were cold rooms above 5 °C last week")

    from twinlab.events import find

    found = find(example, "temperature > 5 degC", on="cold_room", start=START, stop=STOP)
    spans = found["end"].fillna(STOP).clip(upper=STOP) - found["start"].clip(lower=START)
    assert len(found)
    assert answer.value == pytest.approx(spans.sum() / pd.Timedelta(hours=1))


def test_counts_and_shares_of_events_are_those_of_the_table(example: FakeTwin) -> None:
    trips = example.events("trip")
    planned = trips[(trips["planned_start"] >= START) & (trips["planned_start"] < STOP)]
    late = delays(planned)["end_delay"] / pd.Timedelta(minutes=1)

    assert ask(example, "how many trips were more than 10 minutes late last week").value == (late > 10).sum()
    share = ask(example, "what share of trips was more than 10 minutes late last week")
    assert share.value == pytest.approx(100 * (late > 10).sum() / late.notna().sum())
    mean = ask(example, "average delay of trips last week")
    assert mean.value == pytest.approx(late.mean())
    by = ask(example, "average delay of trips by origin last week")
    assert by.table.set_index("origin")["value"].to_dict() == pytest.approx(
        late.groupby(planned["origin"]).mean().dropna().to_dict()
    )


def test_events_that_departed_are_counted_by_their_departure(example: FakeTwin) -> None:
    trips = example.events("trip")

    departed = ask(example, "how many trips departed last week").value
    assert departed == ((trips["start"] >= START) & (trips["start"] < STOP)).sum()


def test_a_time_without_data_has_no_answer(example: FakeTwin) -> None:
    answer = ask(example, "average temperature of stations in 2020")

    assert answer.value is None
    assert not answer.answered
    assert "no data" in answer.sentence
    nothing = ask(example, "how many trips were late in 2020")
    assert nothing.value is None
    assert "none is known" in nothing.sentence


def test_a_plan_run_again_gives_the_same(example: FakeTwin) -> None:
    answer = ask(example, "which station had the highest temperature last week")
    scope: dict[str, object] = {"twin": _Asked(example)}

    exec(answer.code, scope)

    again = scope["answer"]
    assert again.value == answer.value  # type: ignore[attr-defined]
    pd.testing.assert_frame_equal(again.table, answer.table)  # type: ignore[attr-defined]
    assert scope["data"].sizes["time"] > 0  # type: ignore[attr-defined]


class _Asked:
    """A reader with `ask`, as twins have it."""

    def __init__(self, twin: FakeTwin) -> None:
        self._twin = twin

    def ask(self, plan: object) -> object:
        from twinlab.ask import Plan, run_plan

        assert isinstance(plan, Plan)
        return run_plan(self._twin, plan)

    def __getattr__(self, name: str) -> object:
        return getattr(self._twin, name)
