"""A site to attack: people with keys, a forklift that can be set, a guard before it, a clock that tests move."""

from __future__ import annotations

import base64
import hashlib
import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from twinlab.commands.guard import Clock, Fence, Guard, GuardLedger, Rates, Rule, State
from twinlab.commands.messages import Answer, Command, approve_command, new_command, new_stop, sign_command, state_hash
from twinlab.signing.keys import KeyRingFile

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
RULE = Rule(
    parameter="max_speed", targets=frozenset({"forklift/7", "forklift/8"}), unit="km/h", limits=(0.0, 12.0), largest_step=6.0,
    tolerance=0.2, roles=frozenset({"operator"}), people=2, fail_safe=0.0, timeout=1.0, link_timeout=3.0,
)  # fmt: skip


@dataclass
class Time:
    """A clock that tests move."""

    now: datetime = NOW
    passed: float = 1000.0

    def wait(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)
        self.passed += seconds

    def clock(self) -> Clock:
        return Clock(now=lambda: self.now, monotonic=lambda: self.passed, sleep=self.wait)


@dataclass
class Forklift:
    """Forklifts whose top speed can be set; tests break them. Counts each change of a setpoint."""

    time: Time
    fence: Fence | None
    values: dict[str, float] = field(default_factory=lambda: {"forklift/7": 8.0, "forklift/8": 8.0})
    load: float = 0.0
    epochs: int = 0
    age: float = 0.0
    changes: list[tuple[str, float]] = field(default_factory=list)
    safe: list[str] = field(default_factory=list)
    blocked: tuple[str, ...] = ()
    acknowledges: bool = True
    stuck: bool = False
    link: bool = True
    on_apply: Callable[[], None] = lambda: None

    def take_over(self) -> int:
        # Without a fence it counts, and lets any epoch act.
        self.epochs += 1
        return self.fence.advance() if self.fence else self.epochs

    def state(self, target: str, parameter: str) -> State:
        if not self.link:
            raise ConnectionError("no route to the forklift")
        value = self.values.get(target, 0.0)
        hashed = state_hash(target, parameter, value, "km/h", watched={"load": self.load})
        return State(value, "km/h", self.time.now - timedelta(seconds=self.age), hashed, self.blocked)

    read_back = state

    def apply(self, target: str, parameter: str, value: float, *, epoch: int, timeout: float) -> bool:
        if self.fence is None:
            return self._apply(target, value)
        with self.fence.acting(epoch):
            return self._apply(target, value)

    def _apply(self, target: str, value: float) -> bool:
        self.on_apply()
        if not self.stuck:
            self.changes.append((target, value))
            self.values[target] = value
        return self.acknowledges

    def fail_safe(self, target: str, parameter: str, value: float | None) -> bool:
        assert value is not None
        self.safe.append(target)
        if not self.link:
            raise ConnectionError("no route to the forklift")
        self.values[target] = value
        return True


class Site:
    """All of it."""

    def __init__(
        self, folder: Path, *, rule: Rule = RULE, kind: type[Guard] = Guard, ledger: type[GuardLedger] = GuardLedger,
        fenced: bool = True,
    ) -> None:  # fmt: skip
        self.folder, self.rule, self.kind, self.ledger_kind = folder, rule, kind, ledger
        self.time = Time()
        self.forklift = Forklift(self.time, Fence(folder / "epoch") if fenced else None)
        self.signers = {name: new_signer() for name in ("ann", "bob", "ann2", "cid", "vic", "olaf", "eve", "device")}
        self.revoked = {"olaf"}
        self.keys = folder / "keys.yaml"
        self.write_keys()
        self.entries: list[dict[str, Any]] = []
        self.record: Callable[[dict[str, Any]], object] = self.entries.append
        self.ledger = folder / "guard.db"
        self.counter = 0
        self.cleanup: list[Callable[[], object]] = []
        self.rates = Rates(total=10_000, target=10_000)
        self.guard = self.new_guard(create=True)

    def new_guard(self, *, create: bool = False, **given: Any) -> Guard:
        defaults = {
            "twin": "parcel", "device": "gateway/1", "ring": KeyRingFile(self.keys).read, "actuator": self.forklift,
            "ledger": self.ledger_kind(self.ledger, create=create), "record": lambda entry: self.record(entry), "clock": self.time.clock(),
            "rates": self.rates,
        }  # fmt: skip
        return self.kind([self.rule], **defaults | given)

    def close(self) -> None:
        """Close the guard's ledger."""
        self.guard._here.ledger.close()

    def restart(self) -> Guard:
        """Start the guard again, as after its process ended."""
        self.close()
        self.guard = self.new_guard()
        return self.guard

    def write_keys(self) -> None:
        owners = {
            "people": {
                "Ann": (["operator"], ["ann", "ann2"]), "Bob": (["operator", "admin"], ["bob"]), "Cid": (["operator"], ["cid"]),
                "Vic": (["viewer"], ["vic"]),                 "Olaf": (["operator"], ["olaf"]),
            },
            "devices": {"gateway/1": (None, ["device"])},
        }  # fmt: skip
        lines = []
        for kind, found in owners.items():
            lines.append(f"{kind}:")
            for owner, (roles, names) in found.items():
                lines.append(f"  {owner}:")
                if roles is not None:
                    lines.append(f"    roles: {json.dumps(roles)}")
                lines.append("    keys:")
                for name in names:
                    revoked = ", revoked: 2026-01-01 lost" if name in self.revoked else ""
                    lines.append(f"      - {{public: '{self.signers[name].public_key.keyval['public']}'{revoked}}}")
        self.keys.write_text("\n".join(lines) + "\n", encoding="utf-8")

    def state(self, target: str = "forklift/7") -> str:
        reported = self.forklift.values.get(target, 0.0)
        return state_hash(target, "max_speed", reported, "km/h", watched={"load": self.forklift.load})

    def command(self, **fields: Any) -> Command:
        self.counter += 1
        target = fields.get("target", "forklift/7")
        given = {
            "target": target, "parameter": "max_speed", "value": 6.0, "unit": "km/h", "twin": "parcel", "operation": "select",
            "counter": self.counter, "expected_state": self.state(target), "reason": "people near the dock", "now": self.time.now,
        }  # fmt: skip
        changed = {name: fields.pop(name) for name in ("id", "issued_at", "expires_at") if name in fields}
        return new_command(**given | fields).model_copy(update=changed)

    def wire(
        self, *, signers: tuple[str, ...] = ("ann", "bob"), command: Command | None = None, **fields: Any
    ) -> bytes:
        signed = sign_command(command or self.command(**fields), self.signers[signers[0]])
        for name in signers[1:]:
            signed = approve_command(signed, self.signers[name])
        return signed

    def stop_wire(self, *, signer: str = "ann", target: str = "forklift/7", **fields: Any) -> bytes:
        given = {"twin": "parcel", "reason": "a person in the aisle", "now": self.time.now}
        return sign_command(new_stop(target, "max_speed", **given | fields), self.signers[signer])

    def submit(self, **fields: Any) -> Answer:
        return self.guard.submit(self.wire(**fields))

    def select(self, **fields: Any) -> Answer:
        return self.submit(**fields)

    def operate(self, **fields: Any) -> Answer:
        return self.submit(operation="operate", **fields)

    def set(self, value: float = 6.0, **fields: Any) -> Answer:
        """Select and operate."""
        selected = self.select(value=value, **fields)
        return selected if selected.outcome != "selected" else self.operate(value=value, **fields)


def new_signer() -> Any:
    """Return a signer whose key id is the one of a key ring."""
    from securesystemslib.signer import CryptoSigner, SSlibKey

    made = CryptoSigner.generate_ed25519()
    public = made.public_key.keyval["public"]
    key_id = hashlib.sha256(bytes.fromhex(public)).hexdigest()
    return CryptoSigner(made._private_key, SSlibKey(key_id, "ed25519", "ed25519", {"public": public}))


def signed_bytes(payload: bytes, *signers: Any, payload_type: str = "application/vnd.twinlab.command+json") -> bytes:
    """Return any bytes, signed as a command is."""
    from securesystemslib.dsse import Envelope

    envelope = Envelope(payload, payload_type, {})
    for signer in signers:
        envelope.sign(signer)
    return json.dumps(envelope.to_dict()).encode()


def payload_of(wire: bytes) -> bytes:
    return base64.b64decode(json.loads(wire)["payload"])


def with_payload(wire: bytes, payload: bytes) -> bytes:
    """Return an envelope with another payload under the old signatures."""
    return json.dumps(json.loads(wire) | {"payload": base64.b64encode(payload).decode()}).encode()


def in_thread(work: Callable[[], Any]) -> tuple[threading.Thread, list[Any]]:
    """Start work in a thread; what it returns is in the list once it ends."""
    found: list[Any] = []
    thread = threading.Thread(target=lambda: found.append(work()), daemon=True)
    thread.start()
    return thread, found


def under_way(site: Site) -> tuple[threading.Event, threading.Thread, list[Any]]:
    """Start an operate that waits inside the asset."""
    assert site.select().outcome == "selected"
    begun, go = threading.Event(), threading.Event()

    def wait() -> None:
        begun.set()
        assert go.wait(20)

    site.forklift.on_apply = wait
    wire = site.wire(operation="operate")
    thread, found = in_thread(lambda: site.guard.submit(wire))
    assert begun.wait(20)
    return go, thread, found


def ended(go: threading.Event, thread: threading.Thread, found: list[Any]) -> Any:
    go.set()
    thread.join(20)
    return found[0]
