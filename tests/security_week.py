"""A week of a live plant with planted intrusions, for the tests and benchmarks of intrusion detection.

Simulated in minutes: gateways sign their rows with real keys, the real guard of ingest takes or refuses them, their connections are
lines as mosquitto writes them, commands and logins are rows as the audit has them, and cold rooms are those of the plant with faults
of its injector. What is usual is in it, too: reconnects, addresses that change, outages with a backlog, a broker that restarts, a
disk that is replaced, a gateway that is new, mistyped passwords, commands that break a limit, stops at night, rooms whose doors
are left open and compressors that fail, sensors that fail by themselves.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from twinlab.edge.handshake import Birth
from twinlab.edge.messages import pack, pack_readings
from twinlab.edge.readings import Reading, Readings
from twinlab.edge.security_log import SecurityLog
from twinlab.edge.signatures.signed_bytes import sign_message
from twinlab.events.intrusion.fold import Memory, findings_of
from twinlab.events.intrusion.joined import SecurityEvent, joined
from twinlab.events.intrusion.records import LogRecord, audit_record, log_records
from twinlab.events.intrusion.registry import INTRUSION_RULES
from twinlab.model.load import parse_model
from twinlab.plant import ParcelSize, Plant
from twinlab.plant.faults.schedule import ScheduledFault
from twinlab.plant.faults.sensors import SensorFaults
from twinlab.plant.peers.peer import moment_of
from twinlab.signing.keys.private_keys import public_text
from twinlab.sources.live.acceptance import Accepted
from twinlab.sources.live.guarded.ingest_guard import IngestGuard
from twinlab.sources.live.guarded.notes import SECURITY_LOG
from twinlab.testing import FakeTwin
from twinlab.twin.security.rounds import all_events
from twinlab.twin.security.state import SecurityState

__all__ = ["Found", "Planted", "search_week"]

MINUTE, HOUR, DAY = 60, 3_600, 86_400
#: Minutes between two messages of a gateway.
EVERY = 5
MODEL = """
twin: week
origin: 2026-01-01
asset_types:
  cold_room:
    signals:
      temperature: {unit: degC, resolution: 0.01, cadence: 5min}
      door: {kind: state, states: {0: closed, 1: open}, cadence: 5min}
      compressor: {kind: state, states: {0: "off", 1: "on"}, cadence: 5min}
security: {hours: ["05:00", "21:00"], sensors: [cold_room.temperature]}
"""


@dataclass(frozen=True)
class Planted:
    """One intrusion."""

    what: str
    rules: tuple[str, ...]
    """Rules that find it, any of them."""
    subject: str
    start: int
    """Seconds UTC."""
    end: int


@dataclass(frozen=True)
class Found:
    """What the rules made of a week."""

    planted: list[Planted]
    found: list[bool]
    false_alarms: list[SecurityEvent]
    events: int
    days: int
    lines: int


@dataclass
class _Gateway:
    """A gateway that sends rows each five minutes."""

    name: str
    mobile: bool
    key: Ed25519PrivateKey
    token: int
    host: str
    next: int = 1
    runs: tuple[tuple[int, int], ...] = ((1, 11),)
    waiting: int = 0
    sent: list[tuple[int, bytes]] = field(default_factory=list)


class Week:
    """The week before it is searched.

    Parameters
    ----------
    seed : int
    folder : Path
    gateways, rooms : int
    """

    def __init__(self, seed: int, folder: Path, *, gateways: int = 12, rooms: int = 16) -> None:
        self.random, self.folder = np.random.default_rng([seed, 57]), folder
        self.size = ParcelSize(hubs=6, trucks=2, cold_rooms=rooms, forklifts=4, parcels_a_week=50, weeks=2, seed=seed)
        self.week = self.size.span[0] + 7 * DAY  # the logs begin a day earlier
        self.begin, self.end = self.week - DAY, self.size.span[1]
        self.now = float(self.begin)
        self.planted: list[Planted] = []
        # (time, text without its time), and (time, kind, who, what).
        self.lines: list[tuple[float, str]] = []
        self.audit: list[tuple[float, str, list[str], dict[str, str]]] = []
        # (time, gateway, kind, payload).
        self.messages: list[tuple[float, str, str, bytes]] = []
        self.restarts = float(self.begin)
        self.gateways = [self._gateway(n, mobile=n % 3 != 2) for n in range(gateways)]
        self.retired, self.stranger = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()

    # -- what is usual -------------------------------------------------------------------------------------------------
    def _gateway(self, n: int, *, mobile: bool) -> _Gateway:
        name = f"T{n + 1:03d}" if mobile else f"hub-{n + 1}"
        return _Gateway(
            name,
            mobile,
            Ed25519PrivateKey.generate(),
            int(self.random.integers(1, 2**60)),
            self._host(mobile=mobile, n=n),
        )

    def _host(self, *, mobile: bool, n: int = 0) -> str:
        return f"100.64.{self.random.integers(256)}.{self.random.integers(1, 255)}" if mobile else f"10.1.0.{n + 10}"

    def _connect(self, time: float, name: str, host: str) -> None:
        port = int(self.random.integers(30_000, 60_000))
        self.lines.append((time, f"New connection from {host}:{port} on port 8883."))
        self.lines.append((time + 0.01, f"New client connected from {host}:{port} as {name} (p5, c1, k15, u'{name}')."))

    def _refused(self, time: float, host: str, why: str) -> None:
        port = int(self.random.integers(30_000, 60_000))
        self.lines.append((time, f"New connection from {host}:{port} on port 8883."))
        self.lines.append((time + 0.01, f"OpenSSL Error[0]: error:0A000086:SSL routines::{why}"))

    def connections(self) -> None:
        """Reconnects of all, outages of the network, a restart of the broker, a port scan by the own department, a new gateway."""
        for one in self.gateways:
            time = float(self.begin)
            while time < self.end:
                if one.mobile:
                    one.host = self._host(mobile=True)
                self._connect(time, one.name, one.host)
                time += self.random.exponential(DAY / (5 if one.mobile else 1))
        for time in self.random.uniform(self.begin, self.end, 4):
            for one in self.gateways:
                at = time + self.random.uniform(0, 90)
                if self.random.random() < 0.3:
                    self.lines.append((at, f"Client {one.name} already connected, closing old connection."))
                self._connect(at + 0.001, one.name, one.host)
        for name in ("historian", "operator"):
            for day in range(8):
                self._connect(self.begin + day * DAY + self.random.uniform(0, HOUR), name, "10.1.0.2")
        scan = self.random.uniform(self.week, self.end)
        for n in range(3):
            self._refused(scan + n, "10.1.0.99", "wrong version number")
        self._connect(self.random.uniform(self.week, self.end), "T900", "100.64.1.1")

    def people(self) -> None:
        """Commands by day, some that break a limit, stops at night, mistyped passwords."""
        for day in range(8):
            start = self.begin + day * DAY
            for time in self.random.uniform(start + 5.2 * HOUR, start + 20.8 * HOUR, 20):
                target = {"target": f"forklift/F{self.random.integers(1, 9):02d}", "parameter": "max_speed"}
                self.audit.append((time, "command accepted", ["noor"], target))
                if self.random.random() < 0.03:
                    why = {"reason": "value: expected 2 to 8 km/h, got 9", "check": "limits"}
                    self.audit.append((time + 5, "command refused", ["noor"], target | why))
            for time in self.random.uniform(start, start + DAY, 3):
                self.audit.append(
                    (time, "login refused", [str(self.random.choice(["ann", "ben", "cem"]))], {"how": "password"})
                )
        self.audit.append((self.week + 2 * DAY + 2 * HOUR, "emergency stop", ["noor"], {"target": "forklift/F01"}))

    def rows(self) -> None:
        """Rows of all gateways, more by day; outages of half an hour to five hours with a backlog, a disk that is replaced."""
        outages = {
            one.name: sorted(self.random.uniform(self.begin, self.end - 6 * HOUR, 2))
            for one in self.gateways
            if one.mobile
        }
        spans = {
            name: [(at, at + self.random.uniform(0.5, 5) * HOUR) for at in times] for name, times in outages.items()
        }
        replaced, when = self.gateways[0], self.random.uniform(self.week, self.end)
        for one in self.gateways:
            self._birth(self.begin, one)
        for time in range(self.begin, self.end, EVERY * MINUTE):
            hour = time % DAY / HOUR
            for one in self.gateways:
                usual = 8 if one.mobile and not 5 <= hour < 20 else 40
                at = time + float(self.random.uniform(0, 200))
                if one is replaced and when <= at:
                    when = float("inf")
                    one.token, one.next, one.runs = one.token + 1, 1, ((1, 12),)
                    self._birth(at - 1, one)
                one.waiting += int(self.random.poisson(usual))
                if any(low <= at < high for low, high in spans.get(one.name, ())):
                    continue
                while one.waiting:
                    self._send(at, one, min(one.waiting, 1_000))
                    at += 0.5

    def _birth(self, time: float, one: _Gateway, *, key: Ed25519PrivateKey | None = None, token: int = 0) -> None:
        birth = Birth(token or one.token, one.next, one.next, int(time * 1e9), {}, runs=one.runs).to_json()
        payload = sign_message(birth, kind="birth", gateway=one.name, key=key or one.key)
        self.messages.append((time, one.name, "birth", payload))

    def _packed(self, time: float, one: _Gateway, rows: int) -> bytes:
        readings = Readings.of([Reading("t", int(time * 1e9) + n, float(n)) for n in range(rows)])
        return pack(one.token, pack_readings(one.next, readings), int(time * 1e9))

    def _send(self, time: float, one: _Gateway, rows: int) -> None:
        payload = sign_message(self._packed(time, one, rows), kind="rows", gateway=one.name, key=one.key)
        one.next += rows
        one.waiting = max(0, one.waiting - rows)
        self.messages.append((time, one.name, "rows", payload))

    # -- what isn't ----------------------------------------------------------------------------------------------------
    def _plant(
        self, what: str, rules: str | tuple[str, ...], subject: str, start: float, *, lasts: float = 60.0
    ) -> float:
        given = (rules,) if isinstance(rules, str) else rules
        self.planted.append(Planted(what, given, subject, int(start), int(start + lasts)))
        return start

    def _when(self) -> float:
        return float(self.random.uniform(self.week + HOUR, self.end - 12 * HOUR))

    def attacks_on_the_broker(self) -> None:
        """Stolen, foreign and expired certificates, a flood of connections, topics of others."""
        fixed = [one for one in self.gateways if not one.mobile]
        mobile = [one for one in self.gateways if one.mobile]
        for n in range(2):
            one, host = fixed[n], f"185.20.{n}.7"
            self._connect(
                self._plant("stolen certificate, new address", "new_client", one.name, self._when()), one.name, host
            )
        self._connect(
            self._plant("certificate nobody ordered", "new_client", "svc-backup", self._when()),
            "svc-backup",
            "10.1.0.77",
        )
        one = mobile[1]
        at = self._plant(
            "certificate used twice", ("shared_certificate", "many_connections"), one.name, self._when(), lasts=HOUR
        )
        for n in range(30):
            self.lines.append((at + n * 40, f"Client {one.name} already connected, closing old connection."))
            self._connect(at + n * 40 + 0.01, one.name, "185.99.1.1" if n % 2 else one.host)
        for host, why in (
            ("185.1.1.1", "certificate verify failed"),
            ("185.1.1.2", "wrong version number"),
            ("185.1.1.3", "peer did not return a certificate"),
        ):
            at = self._plant(f"refused: {why}", "certificate_failure", host, self._when(), lasts=HOUR)
            for n in range(int(self.random.integers(1, 6))):
                self._refused(at + n * 60, host, why)
        one = fixed[2]
        at = self._plant("flood of connections", "many_connections", one.name, self._when(), lasts=HOUR)
        for n in range(200):
            self._connect(at + n * 2, one.name, one.host)
        for one, topic in ((mobile[2], f"twinlab/{mobile[3].name}/rows"), (mobile[4], "command/F03/max_speed")):
            at = self._plant("topic of another", "access_refused", one.name, self._when())
            self.lines.append((at, f"Denied PUBLISH from {one.name} (d0, q1, r0, m1, '{topic}', ... (14 bytes))"))

    def attacks_with_messages(self) -> None:
        """Forged, replayed and too many messages by somebody whom the broker lets publish."""
        pick = iter(self.random.permutation(np.arange(1, len(self.gateways))).tolist() * 2)
        ways = {
            "unsigned rows": None, "rows with an unknown key": self.stranger, "rows with a revoked key": self.retired,
        }  # fmt: skip
        for what, key in ways.items():
            one, at = self.gateways[next(pick)], self._when()
            self._plant(what, "unproven_message", one.name, at)
            message = self._packed(at, one, 20)
            payload = message if key is None else sign_message(message, kind="rows", gateway=one.name, key=key)
            self.messages.append((at, one.name, "rows", payload))
        one, at = self.gateways[next(pick)], self._when()
        self._plant("changed rows", "unproven_message", one.name, at)
        payload = bytearray(sign_message(self._packed(at, one, 20), kind="rows", gateway=one.name, key=one.key))
        payload[-1] ^= 1
        self.messages.append((at, one.name, "rows", bytes(payload)))
        one = self.gateways[next(pick)]
        own = [
            (time, payload)
            for time, name, kind, payload in self.messages
            if name == one.name and kind == "rows" and self.week < time < self.end - DAY
        ]
        time, payload = own[int(self.random.integers(len(own)))]
        at = self._plant("rows of an hour ago sent again", "sequence_regression", one.name, time + HOUR)
        self.messages.append((at, one.name, "rows", payload))
        one, at = self.gateways[next(pick)], self._when()
        # The gateway's own rows are of an earlier epoch then, and wait in its outbox until a person decides.
        rules = ("epoch_change", "sequence_regression")
        self._plant("handshake of another epoch with a stolen key", rules, one.name, at, lasts=self.end - at)
        self._birth(at, one, token=one.token ^ 1)
        one, at = self.gateways[next(pick)], self._when()
        self._plant("flood of rows", "rate", one.name, at, lasts=10 * MINUTE)
        self.messages += [(at + n, one.name, "flood", b"") for n in range(60)]

    def attacks_with_commands(self) -> None:
        """Commands at night with stolen keys, forged ones by day."""
        for n in range(2):
            night = self.week + int(self.random.integers(6)) * DAY + float(self.random.uniform(0.5, 4.5)) * HOUR
            self._plant("command at night", "command_out_of_hours", f"eve-{n}", night)
            self.audit.append(
                (night, "command accepted", [f"eve-{n}"], {"target": "cold_room/R01", "parameter": "setpoint"})
            )
        for n, check in enumerate(("signatures", "counter")):
            at = self.week + int(self.random.integers(6)) * DAY + float(self.random.uniform(8, 18)) * HOUR
            self._plant(f"forged command: {check}", "command_refused", f"mallory-{n}", at)
            what = {
                "target": "forklift/F02",
                "parameter": "max_speed",
                "reason": "not what was expected",
                "check": check,
            }
            self.audit.append((at, "command refused", [f"mallory-{n}"], what))

        at = self._plant("guessed passwords", "login_refused", "admin", self._when())
        self.audit += [(at + n * 20, "login refused", ["admin"], {"how": "password"}) for n in range(8)]

    def false_sensors(self, sensors: SensorFaults) -> None:
        """Values of sensors that lie, by the plant's injector."""
        rooms = self.random.permutation(self.size.cold_rooms)
        signs = self.random.choice([-1.0, 1.0], 2)
        faults: list[tuple[str, float | None, float]] = [
            *(("replayed", float(self.random.integers(12, 120)), self.random.uniform(6, 14)) for _ in range(3)),
            *(("stuck", None, self.random.uniform(6, 14)) for _ in range(2)),
            *(("drift", float(sign * self.random.uniform(2, 4)), self.random.uniform(24, 36)) for sign in signs),
            ("wrong_scaling", float(self.random.uniform(0.6, 0.8)), self.random.uniform(6, 14)),
        ]  # fmt: skip
        for (kind, amount, hours), room in zip(faults, rooms.tolist(), strict=False):
            after = 7 * DAY + float(self.random.uniform(0.1, 5.2)) * DAY
            name = f"R{room + 1:02d}"
            sensors.add(
                ScheduledFault(
                    kind=kind,
                    target=name,
                    signal="temperature",
                    amount=amount,
                    start=f"{after:.0f}s",
                    lasts=f"{hours * HOUR:.0f}s",
                ),
                self.size.span[0],
            )
            self._plant(
                f"sensor: {kind}", "false_sensor", f"cold_room/{name}", self.size.span[0] + after, lasts=hours * HOUR
            )

    # -- from there to events ----------------------------------------------------------------------------------------
    def log(self) -> int:
        """Write the broker's log and let the guard of ingest decide on all messages; return the number of lines."""
        broker = self.folder / "mosquitto.log"
        lines = [
            f"{datetime.fromtimestamp(time, UTC):%Y-%m-%dT%H:%M:%SZ}: {text}\n" for time, text in sorted(self.lines)
        ]
        broker.write_text("".join(lines), encoding="utf-8")
        SecurityLog(broker, self.folder / SECURITY_LOG, connections=True).update()
        devices = {one.name: {"keys": [{"public": public_text(one.key)}]} for one in self.gateways}
        devices["retired"] = {"keys": [{"public": public_text(self.retired), "revoked": "scrapped"}]}  # type: ignore[dict-item]
        (self.folder / "keys.yaml").write_text(json.dumps({"people": {}, "devices": devices}))
        guard = IngestGuard(
            "trucks",
            self.folder,
            keys=self.folder / "keys.yaml",
            clock=lambda: self.now,
            wall=lambda: int(self.now * 1e9),
        )
        by_name = {one.name: one for one in self.gateways}
        for time, name, kind, payload in sorted(self.messages, key=lambda one: one[0]):
            self.now = time
            guard.notes.flush()
            self._deliver(guard, by_name[name], kind, payload)
        self.now += 120.0
        guard.notes.flush()
        return len(lines) + (self.folder / SECURITY_LOG).read_text(encoding="utf-8").count("\n")

    @staticmethod
    def _deliver(guard: IngestGuard, one: _Gateway, kind: str, payload: bytes) -> None:
        if kind == "flood":
            # Rows after those that are taken: whoever has the key can make them.
            stream = guard.streams[one.name]
            readings = Readings.of([Reading("t", n, 0.0) for n in range(1_000)])
            message = pack(int(stream.epoch, 16), pack_readings(stream.sequence + 10**7, readings), 0)
            guard.rows(one.name, sign_message(message, kind="rows", gateway=one.name, key=one.key))
            return
        if kind == "birth":
            guard.birth(one.name, payload)
            return
        taken = guard.rows(one.name, payload)
        if taken is not None:
            guard.acknowledged([Accepted(one.name, taken.token, 1, taken.first, taken.rows, taken.content)])

    def records(self) -> list[LogRecord]:
        """Return the lines of the security log and the rows of the audit in order of time."""
        found = list(log_records((self.folder / SECURITY_LOG).read_text(encoding="utf-8").splitlines()))
        for time, kind, who, what in self.audit:
            record = audit_record(datetime.fromtimestamp(time, UTC).isoformat(), kind, who, what)
            found += [] if record is None else [record]
        return sorted(found, key=lambda one: one.time)

    def twin(self) -> tuple[FakeTwin, list[tuple[str, int, int]]]:
        """Return the cold rooms of two weeks, and which sensors failed by themselves: name, from, until."""
        plant, sensors = Plant(self.size), SensorFaults(self.size)
        self.false_sensors(sensors)
        times, temperature, door, compressor = [], [], [], []
        while plant.time < self.size.span[1]:
            moment = moment_of(plant, plant.advance(min(plant.time + 6 * HOUR, self.size.span[1])), sensors)
            at = moment.step.rooms.time % (5 * MINUTE) == 0
            times.append(moment.step.rooms.time[at])
            temperature.append(moment.rooms.temperature[:, at].T.round(2))
            door.append(moment.step.rooms.door[at])
            compressor.append(moment.step.rooms.compressor[at])
        names = [f"R{n + 1:02d}" for n in range(self.size.cold_rooms)]
        coords = {
            "time": pd.to_datetime(np.concatenate(times), unit="s").to_numpy(dtype="datetime64[ns]"),
            "asset": names,
        }
        arrays = {"temperature": temperature, "door": door, "compressor": compressor}
        data = xr.Dataset(
            {name: (("time", "asset"), np.concatenate(parts).astype(float)) for name, parts in arrays.items()}, coords
        )
        own = [
            (f"cold_room/{names[fault.asset]}", fault.start, fault.stop)
            for fault in plant.faults
            if fault.asset_type == "cold_room" and fault.kind in ("stuck", "drift", "spikes")
        ]
        return FakeTwin(parse_model(MODEL), histories={"cold_room": data}), own


def search_week(seed: int, *, gateways: int = 12, rooms: int = 16) -> Found:
    """Simulate a week with intrusions, search it, and compare."""
    with tempfile.TemporaryDirectory(prefix="security-week-") as name:
        week = Week(seed, Path(name), gateways=gateways, rooms=rooms)
        twin, own = week.twin()
        for step in (
            week.connections, week.people, week.rows, week.attacks_on_the_broker, week.attacks_with_messages, week.attacks_with_commands
        ):  # fmt: skip
            step()
        lines = week.log()
        rules = {one: INTRUSION_RULES.get(one) for one in INTRUSION_RULES.built_in()}
        settings = twin.model.security
        found = findings_of(week.records(), rules, settings, Memory())
        state = SecurityState(events=joined(found, rules, gap_ns=settings.merge_ns))
        rule = rules["false_sensor"].search
        assert rule is not None
        for start in range(week.week, week.end, DAY):
            day = rule(twin, start * 10**9, (start + DAY) * 10**9, settings)
            state.false_values[str(start)] = list(day)
        events = all_events(state, rules)
        return _compared(week.planted, events, own, days=(week.end - week.week) // DAY, lines=lines)


def _compared(
    planted: list[Planted], events: list[SecurityEvent], own: list[tuple[str, int, int]], *, days: int, lines: int
) -> Found:
    hit, false = [False] * len(planted), []
    for event in events:
        mine = list(_matching(event, planted))
        for n in mine:
            hit[n] = True
        # A sensor that fails by itself does show false values.
        real = any(
            event.subject == name and event.start < (stop + 12 * HOUR) * 10**9 and event.end > start * 10**9
            for name, start, stop in own
        )
        if not mine and not real:
            false.append(event)
    return Found(planted, hit, false, len(events), days, lines)


def _matching(event: SecurityEvent, planted: list[Planted]) -> Iterator[int]:
    slack = 12 * HOUR if event.rule == "false_sensor" else 10 * MINUTE
    for n, one in enumerate(planted):
        about = one.subject in (event.subject, event.host)
        within = event.start <= (one.end + slack) * 10**9 and event.end >= (one.start - MINUTE) * 10**9
        if about and within and event.rule in one.rules:
            yield n
