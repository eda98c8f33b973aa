"""A parcel twin with what may be commanded, at a fixed instant, and devices that check with a real guard in this process."""

from __future__ import annotations

import hashlib
import json
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

import twinlab as tl
import twinlab.sources
from twinlab.commands.guard import Clock, Fence, Guard, GuardLedger, Rule, State
from twinlab.commands.messages import sign_answer, state_hash
from twinlab.control.audit import AuditLog
from twinlab.control.audit.rows import read_row
from twinlab.control.proposals import Desk
from twinlab.demos.overlays import write_overlaid
from twinlab.demos.recipes import DEMOS, ParcelSize
from twinlab.signing.keys import KeyRingFile

#: A Thursday on which trucks are under way.
NOW = datetime(2026, 4, 2, 19, 2, tzinfo=UTC)
#: Source -> column with the asset, and columns that are signals of its type.
MAPPINGS = (
    ("drives", "forklift", ("max_speed", "person_distance")),
    ("thermostats", "cold_room", ("set_point",)),
    ("boxes", "truck", ("speed_factor",)),
)
_UNITS = {"max_speed": "km/h", "person_distance": "m", "set_point": "degC", "speed_factor": '"1"'}


def live_recipe(target: Path) -> Path:
    """Write twin.yaml and mappings of a parcel network with devices that report their set points in files; return the folder."""
    recipe = Path(str(files("twinlab.demos"))) / "parcel"
    live = write_overlaid(recipe, recipe / "control", target)
    for source, kind, columns in MAPPINGS:
        lines = [
            f"source: {source}", "tables:", "  - time: {column: time, format: iso, zone: offset}",
            f"    asset: {{type: {kind}, column: {kind}}}", "    columns:",
            *(f"      {name}: {{signal: {name}, unit: {_UNITS[name]}}}" for name in columns),
        ]  # fmt: skip
        (live / "mapping" / f"{source}.yaml").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return live


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of the twin, which tests copy."""
    return make_template(tmp_path_factory.mktemp("commanding"))


def make_template(folder: Path) -> Path:
    """Build a small parcel network at `NOW`; return the folder of its twin."""
    folder.mkdir(exist_ok=True)
    live = live_recipe(folder / "recipe")
    twin = tl.create(folder / "twin", model=live / "twin.yaml", mappings=live / "mapping")
    twin.ingest(*DEMOS["parcel"].files(ParcelSize.small(), folder))
    times = [NOW - timedelta(minutes=minutes) for minutes in (*range(60, 0, -5), 1)]
    for name, header, rows in (
        ("drives", "forklift,max_speed,person_distance", [f"F{n:02d},8,12" for n in range(1, 7)]),
        ("thermostats", "cold_room,set_point", [f"R{n:02d},{-20 if n == 4 else 4}" for n in range(1, 7)]),
        ("boxes", "truck,speed_factor", [f"T{n:03d},1" for n in range(1, 13)]),
    ):  # fmt: skip
        lines = [f"time,{header}", *(f"{time:%Y-%m-%dT%H:%M:%SZ},{row}" for time in times for row in rows)]
        path = folder / f"{name}.csv"
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        twin.ingest(tl.sources.csv(path, name=name))
    return twin.folder


@dataclass
class Now:
    """A clock that tests move."""

    value: datetime = NOW
    began: float = field(default_factory=time.monotonic)

    def __call__(self) -> datetime:
        # It goes on by itself: a guard compares it with the seconds that pass.
        return self.value + timedelta(seconds=time.monotonic() - self.began)

    def wait(self, seconds: float) -> None:
        self.value += timedelta(seconds=seconds)


class Device:
    """All assets of the plant behind one carrier: each command is checked by a guard, as in the plant."""

    def __init__(self, folder: Path, now: Now, rules: list[Rule], ring: Callable[[], Any], signer: Any) -> None:
        self.now, self.signer = now, signer
        self.units = {(target, rule.parameter): rule.unit for rule in rules for target in rule.targets}
        self.values: dict[tuple[str, str], float] = {}
        self.watched: dict[str, dict[str, float]] = {}
        self.changes: list[tuple[str, str, float]] = []
        self.entries: list[Any] = []
        self.answers, self.lost, self.stuck = True, 0, False
        folder.mkdir()
        self._fence = Fence(folder / "epoch")
        self.guard = Guard(
            rules, twin="parcel", device="plant", ring=ring, ledger=GuardLedger(folder / "guard.db", create=True), actuator=self,
            record=self.entries.append, clock=Clock(now=now),
        )  # fmt: skip

    def send(self, wire: bytes, *, target: str, timeout: float) -> bytes:
        assert timeout > 0
        if not self.answers:
            self.lost += 1
            raise tl.errors.ControlError(f"{target}: no answer")
        return sign_answer(self.guard.submit(wire), self.signer)

    def read(self, target: str, parameter: str, *, timeout: float) -> State:
        assert timeout > 0
        return self.state(target, parameter)

    def take_over(self) -> int:
        return self._fence.advance()

    def state(self, target: str, parameter: str) -> State:
        value = self.values.get(
            (target, parameter), {"max_speed": 8.0, "speed_factor": 1.0, "set_point": 4.0}[parameter]
        )
        watched = self.watched.get(target, {"door": 0.0} if parameter == "set_point" else {})
        unit = self.units[target, parameter]
        return State(value, unit, self.now(), state_hash(target, parameter, value, unit, watched=watched))

    read_back = state

    def apply(self, target: str, parameter: str, value: float, *, epoch: int, timeout: float) -> bool:
        assert timeout > 0
        with self._fence.acting(epoch):
            self.changes.append((target, parameter, value))
            if not self.stuck:
                self.values[target, parameter] = value
        return True

    def fail_safe(self, target: str, parameter: str, value: float | None) -> bool:
        assert value is not None
        self.values[target, parameter] = value
        return True


class Plant:
    """The twin of a test, its people, its clock and its devices."""

    def __init__(self, folder: Path, template: Path) -> None:
        shutil.copytree(template, folder / "twin")
        self.twin = tl.open(folder / "twin")
        self.now = Now()
        self.signers = {name: _new_signer() for name in ("Ann", "Bob", "Vic", "plant")}
        self.keys = folder / "keys.yaml"
        self.write_keys()
        ring = KeyRingFile(self.keys).read
        self.audit = AuditLog(folder / "twin" / "audit")
        self.device: Any = None
        self.twin.control = Desk(
            folder / "twin" / "control", reader=lambda: self.twin.reader, ring=ring, record=lambda entry: self.record(entry),
            channel=lambda: self.device, clock=self.now,
        )  # fmt: skip
        rules = self.twin.control._rules(self.twin.reader)
        self.device = Device(folder / "device", self.now, rules, ring, self.signers["plant"])

    def record(self, entry: Any) -> object:
        return self.audit.append(entry)

    def rows(self, kind: str = "") -> list[Any]:
        """Return the rows of the audit."""
        found = (
            read_row(line)
            for path in sorted((self.twin.folder / "audit").rglob("*.jsonl"))
            for line in path.read_bytes().splitlines()
        )
        return [row for row in found if row.kind.startswith(kind)]

    def write_keys(self, *revoked: str) -> None:
        roles = {"Ann": ["operator", "dispatcher"], "Bob": ["operator"], "Vic": ["viewer"]}
        keys = {name: signer.public_key.keyval["public"] for name, signer in self.signers.items()}
        lines = ["people:"]
        for name, has in roles.items():
            note = ", revoked: lost" if name in revoked else ""
            lines += [f"  {name}:", f"    roles: {json.dumps(has)}", f"    keys: [{{public: '{keys[name]}'{note}}}]"]
        lines += ["devices:", f"  plant: {{keys: [{{public: '{keys['plant']}'}}]}}"]
        self.keys.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _new_signer() -> Any:
    from securesystemslib.signer import CryptoSigner, SSlibKey

    made = CryptoSigner.generate_ed25519()
    public = made.public_key.keyval["public"]
    key_id = hashlib.sha256(bytes.fromhex(public)).hexdigest()
    return CryptoSigner(made._private_key, SSlibKey(key_id, "ed25519", "ed25519", {"public": public}))


@pytest.fixture
def plant(tmp_path: Path, template: Path) -> Iterator[Plant]:
    """Return a plant of its own."""
    made = Plant(tmp_path, template)
    yield made
    made.twin.control.close()
    made.audit.close()
