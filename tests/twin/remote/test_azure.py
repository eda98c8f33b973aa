"""A twin in Azure Blob Storage, against Microsoft's own emulator (npm's ``azurite``); with ``-m soak``."""

from __future__ import annotations

import base64
import email.utils
import hashlib
import hmac
import os
import socket
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import twinlab as tl
from twinlab.errors import HistoryConflictError, SourceError
from twinlab.history.remote.repository import icechunk_storage
from twinlab.objects.address import Address
from twinlab.objects.bucket import Bucket
from twinlab.twin import pull

pytestmark = pytest.mark.soak
ACCOUNT = "devstoreaccount1"
#: The emulator's well-known key, which its documentation states.
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="


def make_container(endpoint: str, name: str) -> None:
    """Make a container, with a request that is signed with the account's key."""
    date = email.utils.formatdate(usegmt=True)
    text = f"PUT{12 * chr(10)}x-ms-date:{date}\nx-ms-version:2021-08-06\n/{ACCOUNT}/{ACCOUNT}/{name}\nrestype:container"
    signature = base64.b64encode(hmac.new(base64.b64decode(KEY), text.encode(), hashlib.sha256).digest()).decode()
    headers = {
        "x-ms-date": date,
        "x-ms-version": "2021-08-06",
        "Authorization": f"SharedKey {ACCOUNT}:{signature}",
    }
    request = urllib.request.Request(f"{endpoint}/{name}?restype=container", method="PUT", headers=headers)
    with urllib.request.urlopen(request, timeout=30) as answer:
        assert answer.status == 201


@pytest.fixture(scope="module")
def endpoint(need: Callable[[str], Path | None], tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Yield the endpoint of an emulator with the container ``plant``."""
    program = need("azurite-blob")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    settings = ["--inMemoryPersistence", "--silent", "--skipApiVersionCheck", "--disableTelemetry"]
    process = subprocess.Popen(
        [str(program), "--blobPort", str(port), *settings],
        cwd=tmp_path_factory.mktemp("azurite"), stdout=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        for _ in range(200):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.1)
        url = f"http://127.0.0.1:{port}/{ACCOUNT}"
        make_container(url, "plant")
        yield url
    finally:
        process.kill()
        process.wait()


@pytest.fixture
def azure(endpoint: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    """Return the endpoint; the environment names it, and the account's key."""
    for name in [one for one in os.environ if one.startswith("AZURE_")]:
        monkeypatch.delenv(name)
    for name, value in {
        "AZURE_STORAGE_ENDPOINT": endpoint,
        "AZURE_STORAGE_ACCOUNT_NAME": ACCOUNT,
        "AZURE_STORAGE_ACCOUNT_KEY": KEY,
        "TWINLAB_CACHE": str(tmp_path / "cache"),
    }.items():
        monkeypatch.setenv(name, value)
    return endpoint


def test_a_twin_is_pushed_read_and_pulled(
    twin: tl.Twin, azure: str, grow: Callable[[tl.Twin, int], None], tmp_path: Path
) -> None:
    place = "az://plant/pilots/cold"
    assert twin.push(place).push == 1
    far = tl.open(place)
    assert far.history("room").compute().identical(twin.history("room").compute())
    assert far.observations("room/A", "temperature").equals(twin.observations("room/A", "temperature"))
    grow(twin, 1)
    assert twin.push(place).push == 2
    assert far.newest().history("room", step="1h").compute().identical(twin.history("room", step="1h").compute())
    pull(place, tmp_path / "copy")
    assert tl.open(tmp_path / "copy").verify().ok


def test_conditional_writes_conflict(azure: str) -> None:
    bucket = Bucket(Address.parse("az://plant/one"))
    bucket.create("head", b"1")
    with pytest.raises(HistoryConflictError, match="another process has written head"):
        bucket.create("head", b"2")
    _, version = bucket.get("head")
    bucket.replace("head", b"2", version)
    with pytest.raises(HistoryConflictError, match="another process has written head"):
        bucket.replace("head", b"3", version)
    assert bucket.get("head")[0] == b"2"
    bucket.check_conditional_writes("head", b"2")
    assert [one.name for one in bucket.list()] == ["head"]


def test_what_is_wrong_with_a_container_is_said(azure: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SourceError, match="expected a bucket 'absent', there is none"):
        tl.open("az://absent/pilot")
    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_KEY", base64.b64encode(b"another key").decode())
    with pytest.raises(
        SourceError, match=r"no permission to read twin.json: check the credentials \(AZURE_STORAGE_ACC"
    ):
        tl.open("az://plant/pilots/cold")


def test_icechunk_has_the_same_settings(azure: str) -> None:
    assert "azure" in str(icechunk_storage(Address.parse("az://plant/pilots/cold"))).lower()
