"""JupyterLab in a real browser: the card, the pages behind it, and widgets after "restart and run all"."""

import re
import shutil
from pathlib import Path

import pytest

CODE = """\
%load_ext twinlab
%twin pilot
import panel as pn
from twinlab.explore import HistoryView

# Without a network, because the magics were loaded first.
pn.extension("tabulator")
HistoryView(twin)
"""


@pytest.fixture
def folder(tmp_path: Path, pilot_folder: Path, write_notebook) -> Path:
    root = tmp_path / "work"
    shutil.copytree(pilot_folder.parent, root)
    write_notebook(root / "look.ipynb", CODE)
    return root


@pytest.mark.browser
def test_the_card_opens_the_pages_and_widgets_work_after_restart_and_run_all(desk, need) -> None:
    need("jupyter_server_proxy")
    page = desk.page
    first = page.get_by_role("heading", name="Temperature (degC) · R1")
    desk.run("look.ipynb", first)
    page.get_by_role("menuitem", name="Kernel", exact=True).first.click()
    page.get_by_text("Restart Kernel and Run All Cells").click()
    page.locator(".jp-Dialog button", has_text="Restart").last.click()
    # The cell runs as the first one of a new kernel.
    first.wait_for(state="detached")
    first.wait_for()
    page.locator(".jp-CodeCell .jp-InputPrompt", has_text="[1]").wait_for()
    page.locator('.jp-Notebook-ExecutionIndicator[data-status="idle"]').wait_for()
    desk.choose("Signal", "humidity")
    page.get_by_role("heading", name="Humidity (%) · R1").wait_for()
    assert desk.outside == []
    # The card, in the same JupyterLab: its pages come through Jupyter, their websocket, too.
    page.goto(f"{desk.lab}/lab?reset")
    card = page.locator(".jp-LauncherCard", has_text="Digital twins").first
    card.wait_for()
    assert card.locator("img").get_attribute("src").endswith("/server-proxy/icon/twinlab")
    with page.context.expect_page() as opened:
        card.click()
    pages = opened.value
    pages.get_by_role("link", name="Open the pages").click()
    pages.get_by_role("button", name="History").first.click()
    pages.get_by_role("heading", name=re.compile("· R1")).first.wait_for()
    assert "/twinlab/pages/pilot-" in pages.url
