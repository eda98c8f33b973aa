"""What people say of events, and the limits that follow."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pandas as pd
import pytest

import twinlab as tl
from twinlab.errors import SchemaError, UnknownTermError

from .conftest import USUAL, at

Make = Callable[[], tl.Twin]


@pytest.fixture
def judged(pumps: Make, all_rows: pd.DataFrame) -> tl.Twin:
    """The twin with the first two faults found; the third is to come."""
    twin = pumps()
    with twin.writer() as writer:
        writer.append(all_rows.iloc[3 * USUAL : 3 * (USUAL + 380)], table="readings")
    twin.anomaly_events.update(twin.reader)
    return twin


def test_a_rejection_raises_the_limit_for_later_rows_and_what_was_accepted_is_found_again(
    judged: tl.Twin, all_rows: pd.DataFrame
) -> None:
    events = judged.anomaly_events
    first, second = events.table()["id"]
    assert first == f"pump/P1/{at(62).isoformat()}"
    assert events.accept(second, by="ana").limit == events.limits("pump")["limit"][0]
    done = events.reject(first, by="ben", note="the filter was changed")
    sustained = events.table()["sustained"] * events.table()["limit"]
    assert sustained[0] < done.limit < sustained[1]
    assert "the limit was" in str(done)
    assert done.still_found == 0
    # Other processes and later ones have the same.
    again = tl.open(judged.folder).anomaly_events
    table = again.table()
    assert table["status"].tolist() == ["rejected", "accepted"]
    assert table["by"].tolist() == ["ben", "ana"]
    assert table["note"].tolist() == ["the filter was changed", ""]
    assert again.limits("pump")["limit"].tolist()[1] == done.limit
    with judged.writer() as writer:
        writer.append(all_rows.iloc[3 * (USUAL + 380) :], table="readings")
    judged.anomaly_events.update(judged.reader)
    table = events.table()
    assert table["limit"].tolist() == [*[events.limits("pump")["limit"][0]] * 2, done.limit]
    assert table["status"].tolist() == ["rejected", "accepted", "open"]


def test_a_rejection_larger_than_an_accepted_event_doesnt_hide_it(judged: tl.Twin) -> None:
    events = judged.anomaly_events
    first, second = events.table()["id"]
    events.accept(first, by="ana")
    done = events.reject(second, by="ana")
    lowest = (events.table()["sustained"] * events.table()["limit"])[0]
    assert done.limit <= lowest
    assert done.still_found == 1
    assert "as large as an accepted one" in str(done)
    # Changing one's mind: nothing was unusual.
    assert events.reject(first, by="ana").limit > lowest


def test_a_limit_can_be_undone_and_the_rows_since_are_scored_with_the_one_before(
    judged: tl.Twin, all_rows: pd.DataFrame
) -> None:
    events = judged.anomaly_events
    _, second = events.table()["id"]
    raised = events.reject(second, by="ana").limit
    with judged.writer() as writer:
        writer.append(all_rows.iloc[3 * (USUAL + 380) :], table="readings")
    events.update(judged.reader)
    assert events.status()["limit"][0] == raised
    found = events.undo("pump")
    assert found == events.limits("pump")["limit"][0]
    events.update(judged.reader)
    expected = judged.anomalies("pump", fitted=events.fitted("pump"), start=at(0))
    assert events.table()["start"].tolist() == expected["start"].tolist()
    assert events.limits("pump")["undone"].tolist() == [False, True]
    with pytest.raises(SchemaError, match="nothing to undo"):
        events.undo("pump")
    # The verdict stays, but the next one doesn't bring its limit back.
    first = events.table()["id"][0]
    assert events.reject(first, by="ana").limit < raised
    assert events.table()["status"].tolist()[:2] == ["rejected", "rejected"]


def test_a_verdict_follows_its_event_when_late_rows_move_it(pumps: Make, all_rows: pd.DataFrame) -> None:
    twin, rows = pumps(), all_rows.iloc[3 * USUAL : 3 * (USUAL + 380)]
    late = (rows["pump"] == "P1") & (rows["time"] >= at(58)) & (rows["time"] < at(66))
    with twin.writer() as writer:
        writer.append(rows[~late], table="readings")
    twin.anomaly_events.update(twin.reader)
    before = twin.anomaly_events.table()
    twin.anomaly_events.accept(before["id"][0], by="ana")
    with twin.writer() as writer:
        writer.append(rows[late], table="readings")
    twin.anomaly_events.update(twin.reader)
    after = twin.anomaly_events.table()
    assert after["start"][0] < before["start"][0]
    assert after["id"].tolist() == before["id"].tolist()
    assert after["status"].tolist() == ["accepted", "open"]


def test_an_accepted_event_that_is_not_found_any_more_stays_in_the_table(
    judged: tl.Twin, all_rows: pd.DataFrame
) -> None:
    events = judged.anomaly_events
    first, second = events.table()["id"]
    events.accept(first, by="ana")
    # The rows of the fault are sent again, as usual ones.
    rows = all_rows.iloc[3 * (USUAL + 55) : 3 * (USUAL + 115)].copy()
    usual = all_rows.iloc[3 * 55 : 3 * 115]
    for name in ("pressure", "current"):
        rows[name] = usual[name].to_numpy()
    with judged.writer() as writer:
        writer.append(rows, table="readings")
    events.update(judged.reader)
    table = events.table().set_index("id")
    assert table.loc[first, ["status", "found"]].tolist() == ["accepted", False]
    assert table.loc[second, ["status", "found"]].tolist() == ["open", True]


def test_verdicts_at_once_are_all_stored_and_the_limit_follows_from_all(judged: tl.Twin) -> None:
    names = judged.anomaly_events.table()["id"].tolist()
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda one: tl.open(judged.folder).anomaly_events.reject(one, by="ana"), names))
    events = judged.anomaly_events
    assert events.table()["status"].tolist() == ["rejected", "rejected"]
    highest = float((events.table()["sustained"] * events.table()["limit"]).max())
    assert events.status()["limit"][0] == pytest.approx(1.05 * highest)


def test_verdicts_without_a_name_or_an_event_are_refused(judged: tl.Twin) -> None:
    events = judged.anomaly_events
    name = events.table()["id"][0]
    with pytest.raises(SchemaError, match="who judges"):
        events.accept(name, by=" ")
    with pytest.raises(UnknownTermError, match="did you mean"):
        events.reject(name.replace("P1", "P9"), by="ana")
    assert events.table(status="open")["id"].tolist() == events.table()["id"].tolist()
