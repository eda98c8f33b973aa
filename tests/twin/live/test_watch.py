"""A watched folder through the historian: as if each file had been ingested."""

from __future__ import annotations

from collections.abc import Callable

import twinlab as tl

HEAD = "time,truck,temperature\n"


def test_files_are_kept_and_a_changed_one_replaces_its_earlier_reading(live_twin: Callable[[str], tl.Twin]) -> None:
    twin = live_twin("{kind: watch, folder: incoming, stable: 50ms}")
    folder = twin.folder / "incoming"
    folder.mkdir()
    (folder / "a.csv").write_text(HEAD + "2026-03-01T00:00Z,a,1.0\n2026-03-01T00:01Z,a,2.0\n")
    (folder / "b.csv").write_text(HEAD + "2026-03-01T00:00Z,b,5.0\n")
    twin.run(once=True)
    assert twin.history("truck").temperature.sel(asset="a").values.tolist() == [1.0, 2.0]
    (folder / "a.csv").write_text(HEAD + "2026-03-01T00:00Z,a,7.5\n2026-03-01T00:01Z,a,2.0\n")
    (folder / "picture.csv").write_bytes(bytes(range(256)) * 4)
    status = twin.run(once=True)
    assert status.sources["feed"]["state"] == "ended"
    assert twin.history("truck").temperature.sel(asset="a").values.tolist() == [7.5, 2.0]
    # The file itself is kept, as with `ingest`, which therefore finds nothing new.
    report = twin.ingest(tl.sources.csv(folder / "a.csv", name="feed"))
    assert "nothing changed" in str(report)
    before = twin.ledger.reader("feed").position()
    twin.run(once=True)
    assert twin.ledger.reader("feed").position() == before
