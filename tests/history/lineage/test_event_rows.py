"""The rows of the ledger behind an event."""

from pathlib import Path

import twinlab as tl
from twinlab.history.lineage.event_rows import event_rows


def test_an_event_of_two_sources_has_a_row_of_each_and_the_later_one_counts(tmp_path: Path) -> None:
    (tmp_path / "twin.yaml").write_text(
        "twin: t\norigin: 2026-01-01\nasset_types: {room: {}}\nevent_types: {visit: {asset: room}}\n"
    )
    twin = tl.create(tmp_path / "twin", model=tmp_path / "twin.yaml")
    (twin.folder / "mapping").mkdir(exist_ok=True)
    for name in ("b", "a"):
        (twin.folder / "mapping" / f"{name}.yaml").write_text(
            f"source: {name}\nfiles: [{name}.csv]\ntables:\n- events:\n  - {{type: visit, key: [nr], asset: {{type: room, column: room}}, "
            "start: {column: from, zone: UTC}}\n"
        )
    twin.reload()
    for number, name in enumerate(("b", "a")):
        (tmp_path / f"{name}.csv").write_text(f"nr,room,from\n7,A,2026-01-05 12:0{number}\n8,A,2026-01-06 12:00\n")
        twin.ingest(tmp_path / f"{name}.csv")
    rows = event_rows(twin.reader, "visit", ["7"])
    assert rows[["standing", "source", "file", "row"]].to_numpy().tolist() == [
        ["superseded", "b", "b.csv", 2],
        ["valid", "a", "a.csv", 2],
    ]
    assert twin.events("visit")["start"].iloc[0] == rows["start"].iloc[-1]
    assert event_rows(twin.reader, "visit", ["9"]).empty
