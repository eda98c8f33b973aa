"""Assets are no more silent after a removal than before."""

from __future__ import annotations

from pathlib import Path

import twinlab as tl


def test_an_asset_whose_cells_were_removed_was_not_silent(folder: Path) -> None:
    path = folder / "twin.yaml"
    text = path.read_text(encoding="utf-8")
    # Without the door, only what is removed shows that the room was heard.
    start, stop = text.index("      door:"), text.index("event_types:")
    path.write_text(text[:start] + text[stop:] + "retention: {full_rate: 14d, keep: []}\n", encoding="utf-8")
    (folder / "mapping" / "rooms.yaml").write_text(
        "\n".join(
            line
            for line in (folder / "mapping" / "rooms.yaml").read_text(encoding="utf-8").splitlines()
            if "door" not in line
        ),
        encoding="utf-8",
    )
    twin = tl.open(folder)
    twin.rebuild()

    def silences() -> list[tuple[str, str]]:
        found = tl.events.episodes(twin, "silent", start="2026-01-01", stop="2026-02-12")
        return sorted(zip(found["asset"], found["since"].astype(str), strict=True))

    before = silences()
    assert len(before) == 10
    twin.apply_retention()
    assert silences() == before
