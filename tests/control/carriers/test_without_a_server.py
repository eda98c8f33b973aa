"""Carriers whose server, library or parameter isn't there say so; nothing stays open."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Any

import pytest

from twinlab.control.carriers import CARRIER_KINDS, Carrier, CarrierContext, Endpoints, read_control
from twinlab.control.carriers.mqtt import MqttOptions
from twinlab.errors import SourceError, UnknownTermError
from twinlab.signing.keys import KeyRing

OPTIONS: dict[str, dict[str, Any]] = {
    "mqtt": {"host": "127.0.0.1", "port": 9, "ca": "ca.pem", "certificate": "own.pem", "key": "own.key"},
    "opcua": {
        "url": "opc.tcp://127.0.0.1:9/", "namespace": "urn:rooms", "server_certificate": "server.der", "certificate": "own.der",
        "key": "own.pem", "application_uri": "urn:own", "variables": {"set_point": ["SetPoint", "degC"]},
    },
    "modbus": {"host": "127.0.0.1", "port": 9, "ca": "ca.pem", "certificate": "own.pem", "key": "own.key"},
}  # fmt: skip


def made(kind: str, folder: Path) -> Carrier:
    found = CARRIER_KINDS.get(kind)
    context = CarrierContext(lambda: KeyRing(people={}), lambda target: target, folder)
    return found.make(found.parse(OPTIONS[kind]), context)


@pytest.mark.parametrize(("kind", "library"), [("mqtt", "aiomqtt"), ("opcua", "asyncua")])
@pytest.mark.parametrize("call", ["send", "read", "open"])
def test_a_missing_library_names_its_extra(
    kind: str, library: str, call: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, library, None)
    carrier = made(kind, tmp_path)
    calls = {
        "send": lambda: carrier.send(b"{}", target="cold_room/R01", within=1.0),
        "read": lambda: carrier.read("cold_room/R01", "set_point", within=1.0),
        "open": carrier.open,
    }
    with pytest.raises(SourceError, match=rf"twinlab-kit\[{kind}\]"):
        asyncio.run(calls[call]())


def test_a_parameter_without_a_variable_is_named(tmp_path: Path) -> None:
    pytest.importorskip("asyncua")
    with pytest.raises(
        UnknownTermError, match="cold_room/R01: expected a parameter that `variables` .* got 'set_pont'; did you mean"
    ):
        asyncio.run(made("opcua", tmp_path).read("cold_room/R01", "set_pont", within=1.0))


@pytest.mark.parametrize("kind", ["mqtt", "modbus"])
def test_paths_of_options_are_relative_to_the_file(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    path = tmp_path / "control.yaml"
    path.write_text(
        "keys: keys.yaml\nendpoints:\n  all:\n    carrier: " + kind + '\n    assets: ["forklift/*"]\n    options: '
        + str(OPTIONS[kind]) + "\n"
    )  # fmt: skip
    with Endpoints(read_control(path), name="control.yaml") as endpoints:
        with pytest.raises(SourceError) as found:
            endpoints.send(b"{}", target="forklift/F01", timeout=5)
        # Which files were looked for: none is there.
        assert str(tmp_path.resolve() / "own.pem") in str(found.value)


def test_a_session_in_which_the_namespace_is_missing_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asyncua = pytest.importorskip("asyncua")
    ended = []

    class Client(asyncua.Client):  # type: ignore[misc, name-defined]
        async def set_security(self, *_: object, **__: object) -> None:
            """Be a client that needs no certificates."""

        async def disconnect(self) -> None:
            ended.append(True)
            await super().disconnect()

    async def ask() -> None:
        server = asyncua.Server()
        await server.init()
        server.set_endpoint("opc.tcp://127.0.0.1:0/")
        async with server:
            port = server.bserver._server.sockets[0].getsockname()[1]
            monkeypatch.setitem(OPTIONS["opcua"], "url", f"opc.tcp://127.0.0.1:{port}/")
            monkeypatch.setattr(asyncua, "Client", Client)
            with pytest.raises(SourceError, match="nothing was sent"):
                await made("opcua", tmp_path).open()
            assert len(ended) == 1

    asyncio.run(ask())


def test_options_of_a_broker_have_a_client_for_each_asset() -> None:
    options = MqttOptions(**{**OPTIONS["mqtt"], "client": "{name}-controller"})
    assert options.client_of("forklift/F07") == "F07-controller"
