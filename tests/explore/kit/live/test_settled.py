"""Up to when the windows of a live twin are settled, as the pages say it."""

import numpy as np
import pytest

import twinlab as tl
from twinlab.explore import SignalExplorer
from twinlab.explore.kit.link import Link
from twinlab.explore.kit.live.settled import settled_text
from twinlab.testing import FakeTwin

pytestmark = pytest.mark.filterwarnings("ignore:The inplace keyword in DataFrame")

MODEL = """
twin: site
origin: 2026-01-01
asset_types:
  truck:
    signals:
      temperature: {unit: degC, resolution: 0.1, cadence: 1min}
"""
FEED = """
source: feed
tables:
  - table: "*"
    time: {column: time, zone: UTC}
    asset: {type: truck, column: truck}
    columns: {temperature: {signal: temperature, unit: degC}}
live: {kind: replay, file: log.csv, lateness: 30min}
"""


@pytest.fixture(scope="module")
def twin(tmp_path_factory):
    """Return a twin whose live source has sent rows up to 01:29, of which those to 00:59 are settled."""
    folder = tmp_path_factory.mktemp("settled")
    (folder / "twin.yaml").write_text(MODEL)
    (folder / "feed.yaml").write_text(FEED)
    made = tl.create(folder / "site", model=folder / "twin.yaml", mappings=folder / "feed.yaml")
    rows = "".join(f"2026-03-01T{n // 60:02d}:{n % 60:02d}Z,a,{n / 10}\n" for n in range(90))
    (made.folder / "log.csv").write_text(f"time,truck,temperature\n{rows}")
    made.run(once=True)
    return made


@pytest.mark.parametrize(
    ("stop", "text"),
    [
        ("2026-03-01T00:30", "settled"),
        ("2026-03-01T01:15", "settling, settled until 2026-03-01 00:59 UTC"),
        ("2026-03-01T02:00", "open, settled until 2026-03-01 00:59 UTC"),
    ],
)
def test_a_window_is_settled_or_says_until_when(twin, stop, text):
    assert settled_text(twin, "truck", ["temperature"], np.datetime64(stop, "ns")) == text


def test_a_chart_of_a_live_twin_has_it_in_its_caption_and_in_its_settings(twin):
    window = (np.datetime64("2026-03-01T00:00", "ns"), np.datetime64("2026-03-01T02:00", "ns"))
    view = SignalExplorer(twin, link=Link(asset_type="truck", assets=("a",), signals=("temperature",), window=window))
    assert "open, settled until 2026-03-01 00:59 UTC" in view._heading.object
    assert view.settings()["Window"] == "open, settled until 2026-03-01 00:59 UTC"


def test_other_twins_have_no_such_caption():
    twin = FakeTwin.example(days=1, trips=1)
    assert settled_text(twin, "cold_room", ["temperature"], np.datetime64("2026-01-02", "ns")) == ""
    view = SignalExplorer(twin)
    assert view.settled == ""
    assert "Window" not in view.settings()
