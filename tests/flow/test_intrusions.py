"""Attacks are seen: planted ones in a week, all on a guard of commands, and those on a real broker while the historian runs."""

from __future__ import annotations

import ssl
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import aiomqtt
import pytest
import yaml

import twinlab as tl
from tests.commands.guard.attacks import ATTACKS
from tests.commands.guard.site import Site
from tests.flow.live_site import FEED, MODEL
from tests.mosquitto import Authority, Mosquitto
from tests.security_week import search_week
from tests.sources.live.mqtt.test_mqtt import gateway, numbered
from twinlab.control.audit import AuditLog
from twinlab.signing.keys.private_keys import make_key

pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning")
PATIENCE = 90.0


def test_of_thirty_intrusions_in_a_week_nearly_all_are_found() -> None:
    found = search_week(7, gateways=9)
    assert len(found.planted) == 30
    missed = [one.what for one, hit in zip(found.planted, found.found, strict=True) if not hit]
    assert len(missed) <= 2, missed
    alarms = [one for one in found.false_alarms if one.severity != "low"]
    assert len(alarms) <= found.days, alarms


def make_twin(folder: Path, **live: object) -> tl.Twin:
    (folder / "twin.yaml").write_text(MODEL)
    (folder / "trucks.yaml").write_text(yaml.safe_dump({**FEED, "live": {"kind": "mqtt", **live}}))
    return tl.create(folder / "twin", model=folder / "twin.yaml", mappings=folder / "trucks.yaml")


def test_every_attack_on_a_guard_that_is_recorded_is_a_security_event(
    tmp_path: Path, need: Callable[[str], object]
) -> None:
    need("securesystemslib")
    twin = make_twin(tmp_path, host="127.0.0.1", port=1)
    refused = {}
    with AuditLog(twin.folder / "audit") as log:
        for number, attack in enumerate(ATTACKS):
            folder = tmp_path / f"site-{number}"
            folder.mkdir()
            site = Site(folder)
            site.record = log.append
            with suppress(Exception):  # such as a ledger that can't be written, which the guard's own tests judge
                wire = attack.wire(site)
                refused[attack.name] = site.guard.submit(wire).reason
            for step in site.cleanup:
                step()
    twin.search_intrusions()
    events = twin.security_events()
    events = events[events["rule"].isin(["command_refused", "command_outside_rules"])]
    seen = "\n".join(events["evidence"])
    assert len(refused) >= 25
    assert int(events["count"].sum()) >= len(refused)
    assert {name for name, reason in refused.items() if reason not in seen} == set()
    assert "telemetry" in refused["telemetry_as_a_command"]


def wait(true: Callable[[], object], what: str) -> None:
    until = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < until, what
        time.sleep(0.2)


def attack(
    broker: Mosquitto, *, user: str, topic: str = "twinlab/x/rows", authority: Authority | None = None, tls: bool = True
) -> None:
    """Connect with a certificate of an authority, and publish."""
    import asyncio

    context = None
    if tls:
        context = ssl.create_default_context(cafile=str(broker.authority.file))
        if user:
            context.load_cert_chain(*(authority or broker.authority).issue(user))

    async def publish() -> None:
        async with aiomqtt.Client(
            "127.0.0.1",
            broker.port,
            identifier=user or "nobody",
            protocol=aiomqtt.ProtocolVersion.V5,
            tls_context=context,
            timeout=5,
        ) as client:
            await client.publish(topic, b"0", qos=1)

    with suppress(aiomqtt.MqttError, OSError):
        asyncio.run(publish())


def test_attacks_on_the_broker_and_forged_rows_are_events_while_the_historian_runs(
    need: Callable[[str], Path | None], tmp_path: Path
) -> None:
    program = need("mosquitto")
    assert program is not None
    broker = Mosquitto(program, tmp_path / "broker", Authority(tmp_path / "certificates"))
    broker.start()
    public = make_key(tmp_path / "truck-1.pem")
    twin = make_twin(tmp_path, **broker.settings("historian"), keys="keys.yaml", broker_log=str(broker.log))
    (twin.folder / "keys.yaml").write_text(
        yaml.safe_dump({"people": {}, "devices": {"truck-1": {"keys": [{"public": public}]}}})
    )
    # In a thread it ends by its time; the test ends it earlier.
    running = threading.Thread(target=lambda: twin.run(seconds=25.0), daemon=True)
    running.start()
    other = tl.open(twin.folder)
    try:
        wait(
            lambda: other.live_status().running and other.live_status().sources["trucks"]["state"] == "connected",
            "no historian",
        )
        attack(broker, user="")
        attack(broker, user="mallory", authority=Authority(tmp_path / "rogue", "rogue authority"))
        attack(broker, user="truck-1", tls=False)
        attack(broker, user="truck-2", topic="twinlab/truck-1/rows")
        attack(broker, user="truck-2", topic="command/truck-2/stop")
        attack(broker, user="truck-2", topic="twinlab/truck-2/rows")

        async def send() -> None:
            async with gateway(broker, "truck-1", tmp_path, signing_key=str(tmp_path / "truck-1.pem")) as one:
                await one.write(numbered(1, 5))
                await one.drain()

        import asyncio

        asyncio.run(send())
        expected = {"certificate_failure", "access_refused", "unproven_message"}
        wait(lambda: expected <= set(other.security_events()["rule"]), "not all attacks were seen")
        gateways = other.gateways().set_index("gateway")
        assert gateways.loc["truck-1", ["signed", "sequence", "quarantined"]].tolist() == [True, 5, 0]
        assert gateways.loc["truck-2", "quarantined"] >= 1
    finally:
        running.join(PATIENCE)
        broker.stop()
    events = other.security_events()
    assert {"twinlab/truck-1/rows", "command/truck-2/stop"} <= {
        word.strip("',") for text in events.loc[events["rule"] == "access_refused", "evidence"] for word in text.split()
    }
    assert other.ledger.reader("trucks").position() == 5
