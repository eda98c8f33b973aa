"""Events of finders are those that a new search finds, whatever order rows arrive in; their ids stay."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import twinlab as tl
from twinlab.errors import TwinlabError

MODEL = """\
twin: cold
origin: 2026-01-01
asset_types:
  room:
    properties: {limit: {dtype: number, unit: degC}}
    signals:
      temperature: {unit: degC, resolution: 0.1, cadence: 10min, sensor_span: [-40, 60]}
      door: {kind: state, states: {0: closed, 1: open}, cadence: 10min}
events:
  warm: {on: room, when: temperature > 8 degC}
  warm_open: {on: room, when: temperature > 8 degC and door == open, lasting: 20min, gap: 30min}
  mean_warm: {on: room, when: mean(temperature) over 30 min > 8 degC or change(temperature) over 20 min > 4 degC}
  long_mean: {on: room, when: mean(temperature) over 100 min > 8 degC}
  long_open: {on: room, when: door == open for at least 40 min}
  shut_after: {on: room, when: door == closed within 30 min after temperature > 8 degC}
"""
MAPPING = """\
source: feed
tables:
- time: {column: time, zone: UTC}
  asset: {type: room, column: room}
  columns:
    temp: {signal: temperature}
    door: {signal: door, states: {c: closed, o: open}}
"""


def new_twin(folder: Path) -> tl.Twin:
    """Return a twin without rows."""
    (folder / "twin.yaml").write_text(MODEL)
    twin = tl.create(folder / "twin", model=folder / "twin.yaml")
    (twin.folder / "mapping").mkdir(exist_ok=True)
    (twin.folder / "mapping" / "feed.yaml").write_text(MAPPING)
    twin.reload()
    return twin


def append(twin: tl.Twin, rows: list[tuple[str, int, float | None, str | None]]) -> None:
    """Append rows: room, number of the cell on 5 January, temperature, door."""
    begin = pd.Timestamp("2026-01-05")
    frame = pd.DataFrame(
        {
            "time": [(begin + pd.Timedelta(minutes=10 * cell)).isoformat() for _, cell, _, _ in rows],
            "room": [one[0] for one in rows],
            "temp": pd.array([one[2] for one in rows], dtype="Float64"),
            "door": pd.array([one[3] for one in rows], dtype="string"),
        }
    )
    with twin.writer("feed") as writer:
        writer.append(frame)


def spans(table: pd.DataFrame) -> list[tuple]:
    return sorted(zip(table["asset"], table["start"].astype(str), table["end"].astype(str), strict=True))


def anew(twin: tl.Twin, name: str) -> list[tuple]:
    finder = twin.model.events[name]
    found = tl.events.find(twin, finder.when, on=finder.on, lasting=finder.lasting, gap=finder.gap)
    return spans(found)


row = st.tuples(
    st.sampled_from("ABC"),
    st.integers(0, 60),
    st.sampled_from([None, 4.0, 9.0, 14.0, 90.0]),
    st.sampled_from([None, "c", "o"]),
)


@settings(max_examples=8, deadline=None)
@given(st.lists(st.lists(row, min_size=1, max_size=6), min_size=2, max_size=4))
def test_any_order_of_arrival_gives_the_events_of_a_new_search(batches: list[list[tuple]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        twin = new_twin(Path(folder))
        for number, batch in enumerate(batches):
            append(twin, batch)
            if number % 2 == 0:
                twin.update_events()
            for name in twin.model.events:
                table = twin.events(name)
                assert spans(table) == anew(twin, name), name
                assert table["event_id"].is_unique
        twin.update_events()
        other = tl.open(twin.folder)
        for name in twin.model.events:
            assert spans(other.events(name)) == anew(twin, name)


def test_means_at_the_limit_are_the_same_to_the_last_bit_wherever_a_window_begins(tmp_path: Path) -> None:
    twin = new_twin(tmp_path)
    rng = np.random.default_rng(3)
    # Ten of these are often 80 but for rounding, which depends on their order.
    near = lambda: float(rng.choice([7.9, 8.0, 8.1]))  # noqa: E731
    append(twin, [(room, cell, near(), None) for room in "ABCDEFGHIJKL" for cell in range(2000)])
    twin.update_events()
    for _ in range(3):
        late = [(str(rng.choice(list("ABCDEFGHIJKL"))), int(rng.integers(0, 900)), near(), None) for _ in range(6)]
        append(twin, late)
        twin.update_events()
        assert spans(twin.events("long_mean")) == anew(twin, "long_mean")


def test_a_late_row_moves_splits_and_withdraws_events_whose_ids_stay(tmp_path: Path) -> None:
    twin = new_twin(tmp_path)
    append(twin, [("A", cell, 9.0 if 10 <= cell < 16 else 4.0, None) for cell in range(30)])
    assert twin.update_events()["warm"].empty
    (first,) = twin.events("warm")["event_id"]
    twin.annotate(event=("warm", first), note="fan", author="ann")
    append(twin, [("A", 9, 9.0, None)])
    changes = twin.update_events()["warm"]
    assert changes.to_numpy().tolist() == [["moved", first, first]]
    append(twin, [("A", 12, 4.0, None)])
    changes = twin.update_events()["warm"]
    (part,) = set(twin.events("warm")["event_id"]) - {first}
    assert sorted(map(tuple, changes.to_numpy().tolist())) == [("moved", first, first), ("split", part, first)]
    assert sorted(twin.annotations(kind="event")["event_id"]) == sorted([first, part])
    append(twin, [("A", cell, 4.0, None) for cell in range(9, 17)])
    changes = twin.update_events()["warm"]
    assert set(changes["change"]) == {"withdrawn"}
    assert twin.events("warm").empty
    assert set(twin.annotations(kind="event")["status"]) == {"withdrawn"}


def test_ingest_stores_the_events_and_another_definition_finds_them_anew(tmp_path: Path) -> None:
    twin = new_twin(tmp_path)
    (tmp_path / "feed.csv").write_text(
        "time,room,temp,door\n2026-01-05 12:00,A,9,\n2026-01-05 12:10,A,12,\n2026-01-05 12:20,A,4,\n"
    )
    text = (twin.folder / "mapping" / "feed.yaml").read_text()
    (twin.folder / "mapping" / "feed.yaml").write_text(
        text.replace("source: feed\n", "source: feed\nfiles: [feed.csv]\n")
    )
    twin.reload()
    twin.ingest(tmp_path / "feed.csv")
    assert (twin.folder / "finders" / "states.arrow").exists()
    (one,) = twin.events("warm")["event_id"]
    model = (twin.folder / "twin.yaml").read_text()
    (twin.folder / "twin.yaml").write_text(model.replace("when: temperature > 8 degC}", "when: temperature > 10 degC}"))
    twin.reload()
    table = twin.events("warm")
    assert table["event_id"].tolist() == [one]
    assert str(table["start"][0]) == "2026-01-05 12:10:00"
    (twin.folder / "finders" / "states.arrow").write_bytes(b"damaged")
    assert spans(tl.open(twin.folder).events("warm")) == spans(table)


@pytest.mark.parametrize(
    ("finder", "expected"),
    [
        ("{on: rom, when: temperature > 8 degC}", "did you mean 'room'"),
        ("{on: room, when: temprature > 8 degC}", "temperature"),
        ("{on: room, when: temperature > 8 kg}", "kg"),
        ("{on: room, when: limit > 8 degC}", "expected a signal"),
        ("{on: room, when: 'temperature >'}", "expected"),
    ],
)
def test_a_wrong_finder_is_refused_with_its_place(tmp_path: Path, finder: str, expected: str) -> None:
    (tmp_path / "twin.yaml").write_text(MODEL + f"  wrong: {finder}\n")
    with pytest.raises(TwinlabError, match=r"events\.wrong") as error:
        tl.create(tmp_path / "twin", model=tmp_path / "twin.yaml")
    assert expected in str(error.value)
