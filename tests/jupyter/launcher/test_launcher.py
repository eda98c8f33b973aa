"""The card's server behind a real Jupyter server: who is let in, the start page, a twin's pages, a notebook."""

import http.client
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from tests.jupyter_lab import ROOT, places_of_proxy, wait_for

TOKEN = "a-token-of-this-test"
BASE = "/user/ann/"
#: Seconds until the launcher's server has noticed that Jupyter has gone.
NOTICED = 15


@dataclass
class Jupyter:
    """A Jupyter server under a base URL, with a token."""

    process: "subprocess.Popen[bytes]"
    port: int
    root: Path

    def ask(self, path: str, *, method: str = "GET", port: int = 0, body: str | None = None, **headers: str):
        """Return status, headers and text of an answer; with the token unless a header says otherwise."""
        connection = http.client.HTTPConnection("127.0.0.1", port or self.port, timeout=60)
        given = {"Authorization": f"token {TOKEN}"} | {name.replace("_", "-"): text for name, text in headers.items()}
        if body is not None:
            given["Content-Type"] = "application/x-www-form-urlencoded"
        connection.request(method, path if port else BASE + path, body, given)
        answer = connection.getresponse()
        text = answer.read().decode()
        connection.close()
        return answer.status, answer.headers, text

    def launcher(self) -> psutil.Process:
        """Return the process that jupyter-server-proxy has started."""
        started = psutil.Process(self.process.pid).children(recursive=True)
        # One that has just ended has no command any more.
        running = [one for one in started if one.is_running() and one.status() != psutil.STATUS_ZOMBIE]
        [found] = [one for one in running if "twinlab.jupyter.launcher" in one.cmdline()]
        return found


@pytest.fixture(scope="module")
def jupyter(pilot_folder: Path, need, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Jupyter]:
    need("jupyter_server_proxy")
    root = tmp_path_factory.mktemp("lab") / "{root}"
    shutil.copytree(pilot_folder.parent, root)
    (root / "broken").mkdir()
    (root / "broken" / "twin.yaml").write_text("title: <b>Broken</b>\n", encoding="utf-8")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = {
        "ServerApp.root_dir": root, "ServerApp.port": port, "ServerApp.ip": "127.0.0.1", "ServerApp.base_url": BASE,
        "ServerApp.open_browser": False, "ServerApp.allow_root": True, "IdentityProvider.token": TOKEN,
        # As behind a hub: the name under which people know the server isn't this machine's.
        "ServerApp.allow_remote_access": True,
    }  # fmt: skip
    home = tmp_path_factory.mktemp("home")
    places = {f"JUPYTER_{name}_DIR": str(home / name) for name in ("CONFIG", "DATA", "RUNTIME")}
    shared = home / "shared twin"
    shutil.copytree(pilot_folder, shared)
    environment = {**os.environ, **places_of_proxy(), **places, "PYTHONPATH": str(ROOT)}
    environment["TWINLAB_TWINS"] = os.pathsep.join([str(shared), str(home / "gone")])
    command = [sys.executable, "-m", "jupyter_server", *(f"--{name}={value}" for name, value in options.items())]
    with (home / "log").open("wb") as log:
        # Elsewhere than its folder: the root comes from Jupyter's settings.
        process = subprocess.Popen(command, stdout=log, stderr=log, env=environment, cwd=home)
        try:
            wait_for(f"http://127.0.0.1:{port}{BASE.rstrip('/')}", process)
            yield Jupyter(process, port, root)
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()


@pytest.fixture(scope="module")
def start(jupyter: Jupyter) -> str:
    """HTML of the start page."""
    status, headers, text = jupyter.ask("twinlab/", Host="hub.example.org")
    assert status == 200
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    return text


@pytest.fixture(scope="module")
def key(start: str) -> str:
    """Key of the twin *pilot*."""
    return re.search(r'href="pages/(pilot-[0-9a-f]{8})/"', start)[1]


def test_the_launcher_of_jupyterlab_gets_the_card_with_its_icon(jupyter: Jupyter) -> None:
    status, _, text = jupyter.ask("server-proxy/servers-info")
    assert status == 200
    assert '"title": "Digital twins"' in text
    status, headers, text = jupyter.ask("server-proxy/icon/twinlab")
    assert status == 200
    assert headers["Content-Type"] == "image/svg+xml"


def test_the_start_page_lists_the_twins_of_the_folder_and_escapes_their_titles(start: str, key: str) -> None:
    assert len(re.findall("<article>", start)) == 3
    assert "&lt;b&gt;Broken&lt;/b&gt;" in start
    assert f'name="twin" value="{key}"' in start
    assert "/{root}<" in start
    assert "<script" not in start


def test_without_the_token_nothing_is_shown(jupyter: Jupyter, key: str) -> None:
    for path in ("twinlab/", f"twinlab/pages/{key}/"):
        status, headers, _ = jupyter.ask(path, Authorization="token wrong")
        assert (status, "/login?" in headers.get("Location", "")) == (302, True)
    upgrade = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec_WebSocket_Key": "eA==",
        "Sec_WebSocket_Version": "13",
    }
    assert jupyter.ask(f"twinlab/pages/{key}/ws", Authorization="token wrong", **upgrade)[0] == 403


def test_the_servers_own_port_answers_nobody(jupyter: Jupyter, key: str) -> None:
    # Another user of the same machine sees the port; the token of Jupyter is no secret of this server.
    command = jupyter.launcher().cmdline()
    port = int(command[command.index("--port") + 1])
    for path in ("/", f"/pages/{key}/", "/static/js/bokeh.min.js"):
        for secret in ("", TOKEN, "0" * 64):
            assert jupyter.ask(path, port=port, X_Twinlab_Launcher=secret)[0] == 403
    # One who has let Jupyter ask, too: what a request brings along doesn't replace Jupyter's own.
    assert jupyter.ask("twinlab/", X_Twinlab_Launcher="wrong")[0] == 200


def test_pages_open_under_any_name_with_their_files(jupyter: Jupyter, key: str) -> None:
    status, headers, _ = jupyter.ask(f"twinlab/pages/{key}/?page=history", Host="hub.example.org")
    # The twin is opened at the first visit.
    assert (status, headers["Location"]) == (302, "./?page=history")
    status, headers, text = jupyter.ask(f"twinlab/pages/{key}/?page=history", Host="hub.example.org")
    assert status == 200
    assert "nonce-" in headers["Content-Security-Policy"]
    files = re.findall(r'(?:src|href)="([^"]+\.(?:js|css)[^"]*)"', text)
    assert files
    assert [one for one in files if one.startswith("/") or "//" in one] == []
    for one in files[:3]:
        assert jupyter.ask(f"twinlab/pages/{key}/{one}", Host="hub.example.org")[0] == 200
    # Not even the secret's name is in the page, whose headers Bokeh writes into it.
    assert "twinlab-launcher" not in text.casefold()


def test_a_starter_notebook_is_written_and_opened(jupyter: Jupyter, key: str) -> None:
    form = {"method": "POST", "body": f"twin={key}", "Host": "hub.example.org"}
    for origin in ({}, {"Origin": "https://evil.example"}, {"Origin": "null"}):
        assert jupyter.ask("twinlab/notebook", **form, **origin)[0] == 403
    assert list(jupyter.root.glob("*.ipynb")) == []
    status, headers, _ = jupyter.ask("twinlab/notebook", **form, Origin="https://hub.example.org")
    [written] = jupyter.root.glob("*.ipynb")
    assert (status, headers["Location"]) == (303, f"../lab/tree/{written.name}")


def test_a_twin_elsewhere_is_listed_by_its_path_and_its_notebook_is_written_here(jupyter: Jupyter, start: str) -> None:
    other = re.search(r"pages/(shared-twin-[0-9a-f]{8})/", start)[1]
    assert "/shared twin</p>" in start
    before = set(jupyter.root.glob("*.ipynb"))
    form = {"method": "POST", "body": f"twin={other}", "Host": "hub.example.org", "Origin": "https://hub.example.org"}
    assert jupyter.ask("twinlab/notebook", **form)[0] == 303
    assert len(set(jupyter.root.glob("*.ipynb")) - before) == 1


def test_errors_are_shown_with_a_way_back(jupyter: Jupyter, start: str) -> None:
    status, _, text = jupyter.ask("twinlab/pages/gone-12345678/")
    assert (status, "isn&#39;t there any more" in text, 'href="../../"' in text) == (404, True, True)
    broken = re.search(r'href="(pages/broken-[0-9a-f]{8}/)"', start)[1]
    status, _, text = jupyter.ask(f"twinlab/{broken}")
    assert (status, 'role="alert"' in text, "twin.yaml" in text) == (500, True, True)
    status, _, text = jupyter.ask("twinlab/pages/gone-12345678/", Accept_Language="de")
    assert "Zurück zur Liste der Zwillinge" in text


def test_the_server_ends_with_jupyter_even_if_that_is_killed(jupyter: Jupyter) -> None:
    # The last test of this file.
    launcher = jupyter.launcher()
    jupyter.process.kill()
    jupyter.process.wait()
    ends = time.monotonic() + NOTICED
    while launcher.is_running() and launcher.status() != psutil.STATUS_ZOMBIE and time.monotonic() < ends:
        time.sleep(0.1)
    assert not launcher.is_running() or launcher.status() == psutil.STATUS_ZOMBIE
