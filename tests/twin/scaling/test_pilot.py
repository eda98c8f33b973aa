"""The pilot and the method: small twins with a model's signals are built, read and timed, and nothing of the twin changes."""

from __future__ import annotations

from pathlib import Path

import pytest

import twinlab as tl
from twinlab.cli import main
from twinlab.errors import SchemaError
from twinlab.twin.scaling import pilot as pilots
from twinlab.twin.scaling.costs import STEPS
from twinlab.twin.scaling.pilot import Pilot, PilotSize, run_pilot

MODEL = """
twin: cold
asset_types:
  room:
    properties: {limit: {dtype: number, unit: degC}}
    signals:
      temperature: {unit: degC, resolution: 0.1, cadence: 5min, sensor_span: {from: [-30, limit], default: [-30, 60]}}
      door: {kind: state, states: {0: closed, 1: open}, cadence: 5min}
      energy: {kind: counter, unit: unknown, resolution: 1, cadence: 15min}
storage: {price: 0.02 EUR/GB/month}
"""
MAPPING = (
    "source: rooms\nstream: {tags: {'/^(?P<id>.+)[.]t$/': {signal: temperature, asset: 'room/{id}', unit: degC}}}\n"
)


@pytest.fixture(scope="module")
def twin(tmp_path_factory: pytest.TempPathFactory) -> tl.Twin:
    folder = tmp_path_factory.mktemp("plan")
    (folder / "twin.yaml").write_text(MODEL)
    (folder / "rooms.yaml").write_text(MAPPING)
    return tl.create(folder / "cold", model=folder / "twin.yaml", mappings=folder / "rooms.yaml")


@pytest.fixture(scope="module")
def small() -> tuple[PilotSize, ...]:
    return PilotSize(2, 300), PilotSize(2, 2000), PilotSize(4, 4000)


@pytest.fixture(scope="module")
def pilot(twin: tl.Twin, small: tuple[PilotSize, ...]) -> Pilot:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pilots, "SIZES", small)
        return run_pilot(twin._model, ["room"], tl.open)


def test_a_pilot_times_every_step_and_leaves_nothing(pilot: Pilot) -> None:
    assert {one.step for one in pilot.timings} == set(STEPS)
    assert all(one.cpu >= 0 and one.wall > 0 for one in pilot.timings)
    assert pilot.use.cells > 0
    assert pilot.use.ledger > 0
    assert pilot.workload.assets == 4
    assert 3000 < pilot.workload.cells_a_day * pilot.days < 5000


def test_a_twin_without_rows_is_planned_with_stated_assets(twin: tl.Twin, pilot: Pilot) -> None:
    before = sorted(path.name for path in twin.folder.rglob("*"))
    plan = twin.plan_scale((1, 10), assets={"room": 40}, pilot=pilot)
    found = plan.amounts(10)
    assert found["assets"].value == 400
    assert found["points a year"].value == 400 * 365 * (2 * 288 + 96)
    assert found["ledger"].source.startswith("pilot: ")
    assert found["storage a month"].value == pytest.approx(plan.forecast.bytes(10) * 0.02 / 1e9)
    assert sorted(path.name for path in twin.folder.rglob("*")) == before
    with pytest.raises(SchemaError, match="--assets room=100"):
        twin.plan_scale()
    with pytest.raises(SchemaError, match="at least one factor"):
        twin.plan_scale(())
    with pytest.raises(SchemaError, match="charts"):
        twin.plan_scale(charts=-1)


def test_the_command_says_what_breaks_first_and_what_is_wrong(
    twin: tl.Twin, pilot: Pilot, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr(pilots, "run_pilot", lambda *_given: pilot)
    out = tmp_path / "plan.json"
    assert main(["plan", str(twin.folder), "--assets", "room=40", "--factors", "1", "50", "--json", str(out)]) == 0
    shown = capsys.readouterr().out
    assert "Breaks first, " in shown
    assert "50 x" in shown
    assert '"twin": "cold"' in out.read_text()
    for arguments, says in (
        (["--factors", "0"], "expected a factor of at least 1"),
        (["--factors", "ten"], "expected numbers of at least 1"),
        (["--assets", "room"], "such as truck=200"),
        (["--assets", "hall=3"], "no asset type 'hall'"),
        ([], "--assets room=100"),
    ):
        assert main(["plan", str(twin.folder), *arguments]) != 0
        assert says in capsys.readouterr().err
