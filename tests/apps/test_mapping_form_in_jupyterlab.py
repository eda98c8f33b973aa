"""The mapping form where it lives: a notebook in JupyterLab, in a real browser, without a network."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MODEL = """\
twin: kitchen
asset_types:
  fridge:
    signals:
      temperature: {unit: degC, resolution: 0.01}
      door: {kind: state, states: {0: closed, 1: open}}
"""
MAPPING = """\
source: fridges
files: [fridges.csv]
tables:
  - table: fridges
    time: {column: when, zone: UTC}  # not stated in the file: set it
    asset: {type: fridge, column: fridge}
    columns:
      temp: {signal: temperature, unit: degF}  # the header says °F
      door: {signal: door, states: {auf: open, zu: closed}}
"""
#: Milliseconds that a busy machine may take to start JupyterLab or a kernel.
SLOW = 60_000
SETTINGS = {
    "@jupyterlab/apputils-extension:notification": {"fetchNews": "false", "checkForUpdates": False},
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "work"
    (root / "kitchen" / "mapping").mkdir(parents=True)
    (root / "kitchen" / "twin.yaml").write_text(MODEL, encoding="utf-8")
    (root / "kitchen" / "mapping" / "fridges.yaml").write_text(MAPPING, encoding="utf-8")
    rows = "".join(f"2026-03-28 {hour:02}:00,K{fridge},{39 + hour},zu\n" for hour in range(12) for fridge in (1, 2))
    (root / "fridges.csv").write_text("when,fridge,temp,door\n" + rows, encoding="utf-8")
    code = "from twinlab.apps.mapping_form import MappingForm\n\nMappingForm('kitchen', 'fridges')"
    cell = {"cell_type": "code", "id": "a", "metadata": {}, "source": code, "outputs": [], "execution_count": None}
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    notebook = {"cells": [cell], "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}
    (root / "form.ipynb").write_text(json.dumps(notebook), encoding="utf-8")
    return root


@pytest.fixture
def lab(folder: Path, tmp_path: Path, need: Callable[[str], Path | None]) -> Iterator[str]:
    """Address of a JupyterLab on loopback, with settings and history of its own."""
    need("jupyterlab")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = {
        "ServerApp.root_dir": folder,
        "ServerApp.port": port,
        "ServerApp.ip": "127.0.0.1",
        "ServerApp.open_browser": False,
        "ServerApp.allow_root": True,
        "IdentityProvider.token": "",
        "LabApp.news_url": "",
        "LabApp.check_for_updates_class": "jupyterlab.NeverCheckForUpdate",
    }
    settings = tmp_path / "settings"
    places = {
        "JUPYTER_CONFIG_DIR": tmp_path / "config",
        "JUPYTERLAB_SETTINGS_DIR": settings,
        "IPYTHONDIR": tmp_path / "ipython",
    }
    places |= {"JUPYTERLAB_WORKSPACES_DIR": tmp_path / "workspaces", "PYTHONPATH": ROOT}
    for name, value in SETTINGS.items():
        extension, plugin = name.split(":")
        (settings / extension).mkdir(parents=True)
        (settings / extension / f"{plugin}.jupyterlab-settings").write_text(json.dumps(value), encoding="utf-8")
    with (tmp_path / "lab.log").open("wb") as log:
        command = [sys.executable, "-m", "jupyterlab", *(f"--{key}={value}" for key, value in options.items())]
        environment = {**os.environ, **{key: str(value) for key, value in places.items()}}
        with subprocess.Popen(command, stdout=log, stderr=log, env=environment, cwd=folder) as server:
            try:
                address = f"http://127.0.0.1:{port}"
                wait_for(address, server)
                yield address
            finally:
                # Kernels go with their server when it's asked to stop.
                server.send_signal(signal.SIGTERM)
                try:
                    server.wait(20)
                except subprocess.TimeoutExpired:
                    server.kill()


def wait_for(address: str, server: "subprocess.Popen[bytes]") -> None:
    ends = time.monotonic() + SLOW / 1000
    while time.monotonic() < ends and server.poll() is None:
        try:
            with urllib.request.urlopen(f"{address}/api", timeout=5):
                return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.1)
    pytest.fail("JupyterLab didn't start")


@pytest.mark.browser
def test_in_jupyterlab_a_unit_is_changed_seen_and_saved_without_a_network(
    lab: str, folder: Path, chromium: Path, tmp_path: Path
) -> None:
    sync_api = pytest.importorskip("playwright.sync_api")
    outside: list[str] = []
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(chromium), args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(viewport={"width": 1300, "height": 1500})
        local = (lab, lab.replace("http", "ws"), "data:", "blob:", "about:")
        page.on("request", lambda request: None if request.url.startswith(local) else outside.append(request.url))
        page.on("websocket", lambda one: None if one.url.startswith(local) else outside.append(one.url))
        page.goto(f"{lab}/doc/tree/form.ipynb", timeout=SLOW)
        page.locator('.jp-Notebook-ExecutionIndicator[data-status="idle"]').wait_for(timeout=SLOW)
        cell = page.locator(".tl-preview td", has_text="3.89").first
        # JupyterLab asks for the kernel where it isn't through with choosing it, and may forget the run meanwhile.
        ask = page.locator(".jp-Dialog button", has_text="Select").last
        for _ in range(4):
            page.get_by_role("menuitem", name="Run", exact=True).first.click()
            page.get_by_text("Run All Cells", exact=True).click()
            with suppress(sync_api.TimeoutError):
                cell.or_(ask).first.wait_for(timeout=SLOW / 3)
            if cell.is_visible():
                break
            if ask.is_visible():
                ask.click()
        cell.wait_for(timeout=SLOW)
        unit = page.get_by_title("unit of column temp")
        unit.fill("degC")
        unit.press("Tab")
        page.locator(".tl-preview td", has_text="39.00").first.wait_for()
        assert "unit: degC}" in page.locator(".tl-yaml textarea").first.input_value()
        page.get_by_text("unsaved changes").wait_for()
        assert (folder / "kitchen" / "mapping" / "fridges.yaml").read_text(encoding="utf-8") == MAPPING
        picture = Path(os.environ.get("TWINLAB_SHOTS", tmp_path)) / "form.png"
        page.screenshot(path=picture)
        page.locator(".tl-form button", has_text="Save").click()
        page.get_by_text("Changed:").wait_for()
        browser.close()
    assert (folder / "kitchen" / "mapping" / "fridges.yaml").read_text(encoding="utf-8") == MAPPING.replace(
        "degF", "degC"
    )
    assert outside == []
