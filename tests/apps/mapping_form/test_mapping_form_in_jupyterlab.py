"""The mapping form where it lives: a notebook in JupyterLab, in a real browser, without a network."""

import os
from pathlib import Path

import pytest

MODEL = """\
twin: kitchen
asset_types:
  fridge:
    signals:
      temperature: {unit: degC, resolution: 0.01}
      humidity: {unit: unknown, resolution: 1}
      door: {kind: state, states: {0: closed, 1: open}}
"""
MAPPING = """\
source: fridges
files: [fridges.csv]
tables:
  - table: fridges
    time: {column: when, zone: unknown}  # not stated in the file: set it
    asset: {type: fridge, column: fridge}
    columns:
      temp: {signal: temperature, unit: degF}  # the header says °F
      door: {signal: door, states: {auf: open, zu: closed}}
"""


@pytest.fixture
def folder(tmp_path: Path, write_notebook) -> Path:
    root = tmp_path / "work"
    (root / "kitchen" / "mapping").mkdir(parents=True)
    (root / "kitchen" / "twin.yaml").write_text(MODEL, encoding="utf-8")
    (root / "kitchen" / "mapping" / "fridges.yaml").write_text(MAPPING, encoding="utf-8")
    rows = "".join(f"2026-03-28 {hour:02}:00,K{fridge},{39 + hour},zu\n" for hour in range(12) for fridge in (1, 2))
    (root / "fridges.csv").write_text("when,fridge,temp,door\n" + rows, encoding="utf-8")
    code = "from twinlab.apps.mapping_form.form import MappingForm\n\nMappingForm('kitchen', 'fridges')"
    write_notebook(root / "form.ipynb", code)
    return root


@pytest.mark.browser
def test_in_jupyterlab_a_unit_is_changed_seen_and_saved_without_a_network(desk, folder: Path, tmp_path: Path) -> None:
    page = desk.page
    # The browser is in another zone than the kernel.
    page.context.new_cdp_session(page).send("Emulation.setTimezoneOverride", {"timezoneId": "Asia/Tokyo"})
    desk.run("form.ipynb", page.locator(".tl-preview td", has_text="3.89").first)
    unit = page.get_by_title("unit of column temp")
    unit.fill("degC")
    unit.press("Tab")
    page.locator(".tl-preview td", has_text="39.00").first.wait_for()
    assert "unit: degC}" in page.locator(".tl-yaml textarea").first.input_value()
    page.get_by_text("unsaved changes").wait_for()
    page.get_by_text("2 open questions").wait_for()
    page.locator(".tl-question button", has_text="(this browser)").click()
    page.get_by_text("1 open question", exact=False).first.wait_for()
    page.locator(".tl-preview td", has_text="2026-03-27 15:00:00").first.wait_for()
    page.locator(".tl-question button", has_text="%").click()
    page.get_by_text("✔ No open questions", exact=True).wait_for()
    assert (folder / "kitchen" / "mapping" / "fridges.yaml").read_text(encoding="utf-8") == MAPPING
    picture = Path(os.environ.get("TWINLAB_SHOTS", tmp_path)) / "form.png"
    page.screenshot(path=picture)
    page.locator(".tl-form button", has_text="Save").click()
    page.get_by_text("Changed:").wait_for()
    assert (folder / "kitchen" / "mapping" / "fridges.yaml").read_text(encoding="utf-8") == MAPPING.replace(
        "degF", "degC"
    ).replace("unknown}  # not stated in the file: set it", "Asia/Tokyo}")
    assert "humidity: {unit: '%', resolution: 1}" in (folder / "kitchen" / "twin.yaml").read_text(encoding="utf-8")
    assert desk.outside == []
