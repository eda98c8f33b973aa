"""A JupyterLab on loopback for tests that look at a notebook as people do; the fixtures are imported by the rooms that do."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import suppress
from importlib import metadata
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
#: Milliseconds that a busy machine may take to start JupyterLab or a kernel.
SLOW = 60_000
#: Milliseconds in which a cell that is to run says so.
ACCEPTED = 5_000
SETTINGS = {
    "@jupyterlab/apputils-extension:notification": {"fetchNews": "false", "checkForUpdates": False},
}


def places_of_proxy() -> dict[str, str]:
    """Where Jupyter finds the extension jupyter-server-proxy, wherever it is installed."""
    config, data = "etc/jupyter/jupyter_server_config.d/jupyter-server-proxy.json", "share/jupyter/labextensions/"
    files = metadata.files("jupyter-server-proxy") or []
    found = [next(one for one in files if part in one.as_posix()) for part in (config, data)]
    roots = [
        str(Path(str(one.locate())).resolve()).partition(part)[0]
        for one, part in zip(found, (config, data), strict=True)
    ]
    return {"JUPYTER_CONFIG_PATH": f"{roots[0]}etc/jupyter", "JUPYTER_PATH": f"{roots[1]}share/jupyter"}


@pytest.fixture
def lab(folder: Path, tmp_path: Path, need: Callable[[str], Path | None]) -> Iterator[str]:
    """Address of a JupyterLab over the test's ``folder``, on loopback, with settings and history of its own."""
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
    places |= places_of_proxy()
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


class Desk:
    """A notebook in a browser, with what it asked for outside of this machine."""

    def __init__(self, page, lab):
        self.page, self.lab, self.outside = page, lab, []
        page.set_default_timeout(SLOW)
        local = (lab, lab.replace("http", "ws"), "data:", "blob:", "about:")
        for event in ("request", "websocket"):
            page.on(event, lambda one: None if one.url.startswith(local) else self.outside.append(one.url))

    def run(self, notebook, shows):
        """Run all cells of a notebook until a locator shows."""
        from playwright.sync_api import TimeoutError as Late

        page = self.page
        page.goto(f"{self.lab}/doc/tree/{notebook}")
        page.locator('.jp-Notebook-ExecutionIndicator[data-status="idle"]').wait_for()
        # JupyterLab asks for the kernel where it isn't through with choosing it, and may forget the run meanwhile.
        ask = page.locator(".jp-Dialog button", has_text="Select").last
        ran = page.locator(".jp-CodeCell .jp-InputPrompt", has_text=re.compile(r"\[(\*|\d+)\]")).first
        for _ in range(SLOW // ACCEPTED):
            page.get_by_role("menuitem", name="Run", exact=True).first.click()
            page.get_by_text("Run All Cells", exact=True).click()
            with suppress(Late):
                ran.or_(ask).first.wait_for(timeout=ACCEPTED)
            if ran.is_visible():
                break
            if ask.is_visible():
                ask.click()
        shows.wait_for()
        # A run that was asked for twice puts new output in place of the first.
        page.locator('.jp-Notebook-ExecutionIndicator[data-status="idle"]').wait_for()
        shows.wait_for()

    def choose(self, label, text):
        """Choose an entry of a menu. A menu that a late redraw has closed is opened again, as a person would."""
        from playwright.sync_api import TimeoutError as Late

        for _ in range(SLOW // ACCEPTED):
            self.page.get_by_role("combobox", name=label).click()
            with suppress(Late):
                self.page.locator(".MuiMenuItem-root", has_text=text).click(timeout=ACCEPTED)
                return
            self.page.keyboard.press("Escape")
        message = f"the menu {label!r} never offered {text!r}"
        raise AssertionError(message)


@pytest.fixture
def desk(lab: str, chromium: Path) -> Iterator[Desk]:
    sync_api = pytest.importorskip("playwright.sync_api")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(chromium), args=["--no-sandbox", "--disable-gpu"])
        yield Desk(browser.new_page(viewport={"width": 1300, "height": 1500}), lab)
        browser.close()


@pytest.fixture
def write_notebook() -> Callable[[Path, str], None]:
    """Return ``write(path, code)``, which writes a notebook of one cell."""

    def write(path: Path, code: str) -> None:
        cell = {"cell_type": "code", "id": "a", "metadata": {}, "source": code, "outputs": [], "execution_count": None}
        kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
        notebook = {"cells": [cell], "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}
        path.write_text(json.dumps(notebook), encoding="utf-8")

    return write
