"""Anomalies on page Now: open ones, worst first, those that go on before those that are over; accepted or rejected by who looks."""

import numpy as np
import pandas as pd
import pytest

from tests.twin.anomalies.conftest import USUAL, all_rows, at, pumps  # noqa: F401  (fixtures)
from twinlab.explore.kit.session import Session, Shared
from twinlab.explore.pages.now.foresight.anomaly_rows import anomalies_html, read_anomalies
from twinlab.explore.pages.now.page import NowView


@pytest.fixture
def watched(pumps, all_rows):  # noqa: F811
    """The twin after all faults."""
    twin = pumps()
    with twin.writer() as writer:
        writer.append(all_rows.iloc[3 * USUAL :], table="readings")
    twin.anomaly_events.update(twin.reader)
    return twin


def when(row: int) -> np.datetime64:
    return at(row).to_datetime64().astype("datetime64[ns]")


def test_what_goes_on_comes_first_then_the_largest_and_later_events_are_not_shown(watched):
    shared = Shared(watched)
    found = read_anomalies(shared, when(599))
    assert [row["asset"] for row in found.rows] == ["P0", "P2", "P1"]
    assert found.watched == ("pump",)
    text = anomalies_html(found, watched.model)
    assert "Unusual: 3 not judged" in text and "◇ P0" in text and "times the limit" in text and "current" in text
    during = read_anomalies(shared, when(230))
    assert [row["asset"] for row in during.rows] == ["P2", "P1"]
    text = anomalies_html(during, watched.model)
    assert "◆ P2" in text and "for 2" in text and "so far" in text and "◇ P1" in text
    assert read_anomalies(shared, when(10)).rows == []
    assert "Nothing unusual" in anomalies_html(read_anomalies(shared, when(10)), watched.model)


def test_a_verdict_is_of_who_looks_and_the_event_leaves_the_list(watched):
    page = NowView(watched, session=Session(user="dora"))
    lists = page._foresight.anomalies
    assert lists.pane.visible and lists._actions.visible
    first = lists.chosen.value
    lists.note.value = "new rotor"
    lists.buttons["accept"].clicks += 1
    judged = watched.anomaly_events.table(status="accepted").iloc[0]
    assert (judged["id"], judged["by"], judged["note"]) == (first, "dora", "new rotor")
    assert page.notice == f"Anomaly {first} accepted."
    assert first not in lists.chosen.options.values() and len(lists.chosen.options) == 2
    second = lists.chosen.value
    lists.buttons["details"].clicks += 1
    assert page.chosen == ("pump", second.split("/")[1])
    lists.buttons["reject"].clicks += 1
    assert "rejected" in page.notice and "the limit was" in page.notice
    # Somebody else has judged the last one meanwhile.
    watched.anomaly_events.accept(lists.chosen.value, by="emil")
    lists.show(read_anomalies(Shared(watched), when(599)))
    assert not lists._actions.visible
    lists.buttons["accept"].clicks += 1
    assert page.notice == "This anomaly isn't open any more."


def test_what_is_wrong_with_a_watch_is_said_and_a_twin_that_watches_nothing_shows_nothing(watched):
    folder = watched.anomaly_events._watch_folder(watched.anomaly_events.watched()["pump"])
    folder.failed("the unit of current is mA <b>, it was A")
    text = anomalies_html(read_anomalies(Shared(watched), when(599)), watched.model)
    assert "Rows of pump aren&#39;t scored: the unit of current is mA &lt;b&gt;" in text
    watched.anomaly_events.stop("pump")
    past = watched.as_of(pd.Timestamp.now())
    assert anomalies_html(read_anomalies(Shared(past), when(599)), watched.model) == ""
