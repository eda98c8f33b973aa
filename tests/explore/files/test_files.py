"""Exports of a view: HTML report, Excel, Parquet, CSV, pictures; written completely or not at all."""

import json
import re
from pathlib import Path

import holoviews as hv
import numpy as np
import openpyxl
import pandas as pd
import pyarrow.parquet as pq
import pytest
import xarray as xr

from twinlab import _spreadsheets
from twinlab.errors import SchemaError, SourceError
from twinlab.explore.files import report as report_file
from twinlab.explore.kit.link import Link
from twinlab.explore.views.base import Explorer
from twinlab.testing import FakeTwin

CODE = "import pandas as pd\n\ndata = pd.DataFrame({'a < b': [1]})\n"


class Small(Explorer):
    """A view with one table and one curve."""

    label = "Small <view>"
    shown = True

    def link(self):
        return Link(page="small")

    def apply(self, link):
        """Nothing to choose."""

    def code(self):
        return CODE if self.shown else ""

    def data(self):
        if not self.shown:
            return None
        time = pd.date_range("2026-03-29", periods=3, freq="1h").to_numpy()
        values = [[1.0, np.nan], [2.0, np.nan], [np.nan, 4.0]]
        return xr.Dataset(
            {"speed": (("time", "asset"), values, {"units": "km/h"})}, coords={"time": time, "asset": ["a", "b"]}
        )

    def tables(self):
        if not self.shown:
            return {}
        return {
            "what/now?": pd.DataFrame(
                {
                    "since (UTC)": pd.to_datetime(["2026-03-29 01:30", None]),
                    "speed (km/h)": [1.5, np.nan],
                    "count": [1, 2],
                    "open": [True, False],
                    "note": ["=2+2", "<script>alert(1)</script>"],
                    "endless": [np.inf, 0.0],
                }
            )
        }

    def settings(self):
        return {"kind of asset": "trucks & hubs"}

    def figure(self, *, backend="bokeh"):
        if not self.shown:
            return None
        curve = hv.Curve(([0, 1, 2], [1, 2, 1]), "time (UTC)", "speed (km/h)")
        return curve.opts(title="Speed", backend=backend)


@pytest.fixture(scope="module")
def twin() -> FakeTwin:
    return FakeTwin.example(days=2, trips=10)


@pytest.fixture
def view(twin: FakeTwin) -> Small:
    return Small(twin)


def test_an_excel_file_holds_the_tables_as_they_are(view: Small, tmp_path: Path) -> None:
    book = openpyxl.load_workbook(view.to_excel(tmp_path / "view.xlsx"))
    assert book.sheetnames == ["what now", "about"]
    rows = list(book["what now"].values)
    assert rows[0] == ("since (UTC)", "speed (km/h)", "count", "open", "note", "endless")
    assert rows[1] == (pd.Timestamp("2026-03-29 01:30").to_pydatetime(), 1.5, 1, True, "=2+2", "inf")
    assert rows[2][:2] == (None, None)
    assert book["what now"]["E2"].data_type == "s", "a text that begins with = is no formula"
    about = {row[0]: row[1] for row in book["about"].values if row[0]}
    assert about["twin"] == "Three stations"
    assert about["kind of asset"] == "trucks & hubs"
    assert about["code"] == "import pandas as pd"
    assert about["link"] == "?page=small"


def test_a_table_longer_than_a_sheet_is_refused_and_nothing_is_left(
    view: Small, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_spreadsheets, "SHEET_ROWS", 2)
    with pytest.raises(SchemaError, match="has at most 1 rows, the table has 2; narrow"):
        view.to_excel(tmp_path / "view.xlsx")
    assert not list(tmp_path.iterdir())


def test_parquet_and_csv_hold_the_data_with_units_and_code(view: Small, tmp_path: Path) -> None:
    table = pq.read_table(view.export(tmp_path / "view.parquet"))
    assert json.loads(table.schema.metadata[b"twinlab"])["units"] == {"speed": "km/h"}
    assert table.to_pandas()[["asset", "speed"]].to_numpy().tolist() == [["a", 1.0], ["a", 2.0], ["b", 4.0]]
    text = view.export(tmp_path / "view.csv").read_text()
    assert text.splitlines()[:2] == ["time,asset,speed", "2026-03-29T00:00:00Z,a,1.0"]


@pytest.mark.parametrize("name", ["view.parquet", "view.csv", "view.xlsx", "view.svg", "view.png"])
def test_nothing_shown_gives_no_file_but_words(view: Small, tmp_path: Path, name: str) -> None:
    view.shown = False
    with pytest.raises(SchemaError, match="nothing is (shown|drawn)"):
        (view.picture if name.endswith(("svg", "png")) else view.export)(tmp_path / name)
    assert not list(tmp_path.iterdir())


def test_another_ending_is_refused_with_the_nearest(view: Small, tmp_path: Path) -> None:
    with pytest.raises(
        SchemaError, match=r"ending in \.parquet, \.csv or \.xlsx, got 'view.xls'; did you mean '.xlsx'"
    ):
        view.export(tmp_path / "view.xls")
    with pytest.raises(SchemaError, match="a picture ending in"):
        view.picture(tmp_path / "view.jpg")
    with pytest.raises(SchemaError, match="a report ending in"):
        view.report(tmp_path / "view.pdf")


def test_a_disk_that_refuses_is_told_and_leaves_no_half(view: Small, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SourceError, match=r"view\.csv can't be written"):
        view.export(tmp_path / "file" / "view.csv")


def test_a_picture_is_the_same_bytes_each_time_and_its_texts_are_texts(view: Small, tmp_path: Path) -> None:
    first, again = (view.picture(tmp_path / f"{n}.svg").read_bytes() for n in (1, 2))
    assert first == again
    assert b"speed (km/h)</text>" in first
    png = view.picture(tmp_path / "view.png").read_bytes()
    dots = int.from_bytes(png[png.index(b"pHYs") + 4 :][:4], "big")
    assert round(dots * 0.0254) == 300


def test_a_report_has_no_address_outside_itself_and_escapes_what_it_shows(view: Small, tmp_path: Path) -> None:
    text = view.report(tmp_path / "view.html").read_text()
    # Bokeh's own script names addresses in comments and messages; nothing may be loaded.
    assert not re.search(r"<(link|script|img|iframe)[^>]*(src|href)=[\"'](?!data:)", text)
    assert "Small &lt;view&gt;" in text
    assert "<script>alert(1)" not in text
    assert "&#39;a &lt; b&#39;" in text
    assert "2026-03-29 01:30" in text


def test_a_long_table_is_cut_and_says_so() -> None:
    text = report_file.table_html(pd.DataFrame({"n": range(30)}), limit=10)
    assert text.count("<td") == 10
    assert "first 10 of 30 rows" in text


def test_a_report_takes_several_views_and_needs_one(twin: FakeTwin, tmp_path: Path) -> None:
    text = report_file.write_report([Small(twin), Small(twin)], tmp_path / "both.html").read_text()
    assert text.count("<section>") == 2
    with pytest.raises(SchemaError, match="at least one view"):
        report_file.write_report([], tmp_path / "none.html")


@pytest.mark.browser
def test_a_report_opens_from_disk_with_the_network_off(view: Small, tmp_path: Path, open_page) -> None:
    path = view.report(tmp_path / "view.html")
    page = open_page(path.as_uri(), offline=True, viewport={"width": 390, "height": 844})
    page.wait_for_selector(".bk-Figure canvas, .plot canvas", state="attached")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
