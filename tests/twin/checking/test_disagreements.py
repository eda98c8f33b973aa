"""Two sources that disagree about one signal are a finding, with the source that is preferred and a fix."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import twinlab as tl

MODEL = """
twin: halls
origin: 2026-01-01T00:00:00Z
asset_types:
  hall:
    signals:
      temperature: {unit: degC, resolution: 0.1, cadence: 1h, sensor_span: [-40, 60]}
      door: {kind: state, states: {0: closed, 1: open}, cadence: 1h}
"""
MAPPING = """source: NAME
files: ["NAME*.csv"]
tables:
  - time: {column: time, zone: UTC}
    asset: {type: hall, column: hall}
    columns:
      temp: {signal: temperature, unit: degC}
      door: {signal: door}
"""
TIMES = pd.date_range("2026-01-05", periods=24 * 20, freq="1h", tz="UTC")
WRONG = 300


def made(folder: Path, *, priority: int = 0, **changes: object) -> tl.Twin:
    """Return a twin with the sources north and south, which report halls A and B; ``changes`` are those of south's hall A."""
    rng = np.random.default_rng(4)
    mappings = []
    truth = {hall: 8 + place + np.cumsum(rng.normal(0, 0.2, len(TIMES))) for place, hall in enumerate("ABC")}
    for source, halls in (("north", "ABC"), ("south", "AB")):
        parts = []
        for hall in halls:
            values, door = truth[hall].round(1), np.full(len(TIMES), "closed", dtype=object)
            if source == "south" and hall == "A":
                apply, since = changes.get("values"), changes.get("since", 0)
                if apply is not None:
                    values = np.where(np.arange(len(TIMES)) < since, values, apply(values))  # type: ignore[operator]
                door[changes.get("door", slice(0))] = "open"  # type: ignore[index]
            rows = {"time": TIMES.strftime("%Y-%m-%dT%H:%M:%SZ"), "hall": hall, "temp": values, "door": door}
            parts.append(pd.DataFrame(rows))
        pd.concat(parts).to_csv(folder / f"{source}.csv", index=False)
        text = MAPPING.replace("NAME", source)
        if source == "south" and priority:
            text = text.replace("unit: degC}", f"unit: degC, priority: {priority}}}")
        (folder / f"{source}.yaml").write_text(text)
        mappings.append(folder / f"{source}.yaml")
    (folder / "twin.yaml").write_text(MODEL)
    twin = tl.create(folder / "twin", model=folder / "twin.yaml", mappings=mappings)
    twin.ingest(folder / "north.csv", folder / "south.csv")
    return twin


def disagreements(twin: tl.Twin, **limits: object) -> pd.DataFrame:
    table = twin.check(**limits).table  # type: ignore[arg-type]
    return table[table.kind == "disagreement"]


def test_sources_that_agree_are_no_finding(tmp_path: Path) -> None:
    # A tenth is the resolution.
    assert not len(disagreements(made(tmp_path, values=lambda one: one + 0.1)))


def test_another_unit_explains_the_disagreement_and_its_fix_ends_it(tmp_path: Path) -> None:
    twin = made(tmp_path, values=lambda one: (one * 1.8 + 32).round(1), since=WRONG)
    report = twin.check()
    found = report.table[report.table.kind == "disagreement"]
    assert found[["source", "tag", "asset", "signal"]].to_numpy().tolist() == [["south", "temp", "A", "temperature"]]
    one = found.iloc[0]
    assert one.since == TIMES[WRONG].tz_localize(None)
    assert pd.isna(one.until)
    assert (
        f"north and south differ in {len(TIMES) - WRONG} of {len(TIMES)} cells that both report (38 %)" in one.evidence
    )
    assert "neither is preferred by the mappings" in one.evidence
    assert "they agree if south is written in degF, declared as degC" in one.evidence
    rev = twin.remap("south", report.fixed_mapping(int(found.index[0])))
    rev.promote(reason="south writes °F")
    assert not len(disagreements(twin))


def test_without_an_explanation_a_priority_is_proposed_for_the_source_within_the_limits(tmp_path: Path) -> None:
    twin = made(tmp_path, values=lambda one: 100 + one * 0.37)
    (one,) = disagreements(twin, signals=["temperature"]).itertuples()
    assert one.source == "north"
    assert "100 % of the values of south are outside the limits of the signal" in one.evidence
    assert one.fix.startswith("temp: [{signal: temperature, unit: degC, priority: 1, assets: [A]}, ")
    assert one.fix.endswith("# mapping/north.yaml, tables[0].columns")


def test_the_source_with_the_higher_priority_is_named(tmp_path: Path) -> None:
    twin = made(tmp_path, priority=2, values=lambda one: one * 0.6 + 0.7)
    (one,) = disagreements(twin, signals=["temperature"]).itertuples()
    assert "south is preferred: its priority is 2, that of north 0" in one.evidence
    assert (one.source, one.fix) == ("north", "")


def test_states_disagree_too_and_a_check_is_limited(tmp_path: Path) -> None:
    twin = made(tmp_path, door=slice(100, 110))
    (one,) = disagreements(twin, signals=["door"]).itertuples()
    assert (one.signal, one.since, one.until) == (
        "door",
        TIMES[100].tz_localize(None),
        TIMES[110].tz_localize(None),
    )
    assert "differ in 10 of 480 cells" in one.evidence
    assert not len(disagreements(twin, stop=TIMES[100]))
    assert not len(disagreements(twin, assets=["B"]))


def test_values_by_source_are_those_of_the_rows(tmp_path: Path) -> None:
    from twinlab.history.build import source_priority

    twin = made(tmp_path, values=lambda one: one + 5)
    reader = twin.reader
    pin = reader.pinned()
    pin.sources.prepare(pin.position)
    signal = reader.model.asset_types["hall"].signals["temperature"]

    def pieces() -> list:
        found = source_priority.values_by_source(
            pin.sources, pin.position, ("hall", "temperature"), signal, ["A", "B", "C"], (None, None)
        )
        return list(found)

    (whole,) = pieces()
    # Only one source reports hall C.
    assert whole.asset.values.tolist() == ["A", "B"]
    gap = (whole.value.sel(source="south") - whole.value.sel(source="north")).round(6)
    assert np.unique(gap.sel(asset="A")).tolist() == [5.0]
    assert np.unique(gap.sel(asset="B")).tolist() == [0.0]
    assert set(np.unique(whole.chosen)) <= {"north", "south"}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(source_priority, "_PIECE", 100)
        parts = pieces()
    assert len(parts) > 5
    assert np.array_equal(np.concatenate([one.value.values for one in parts], axis=1), whole.value.values)
