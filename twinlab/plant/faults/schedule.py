"""Schedules of faults: YAML, checked before the run begins."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple, Self

import yaml
from pydantic import ValidationError, ValidationInfo, field_validator, model_validator

from twinlab.errors import SchemaError
from twinlab.model.basics import Duration, Model, parse_duration
from twinlab.model.terms import nearest

__all__ = ["KINDS", "FaultKind", "Schedule", "ScheduledFault", "read_schedule", "schedule_faults"]


class FaultKind(NamedTuple):
    """What a fault is of, and its amount, if it has one: what it is, its unit, least and most."""

    of: str
    """``peer`` (a server's connections), ``service`` (its answers), ``gateway`` (of a truck), ``signal`` or ``clock`` of an asset."""
    amount: tuple[str, str, float, float] | None = None


#: Every fault by its name. Units of the values are those of the truth. `spoofed_source`: the truck poses as the next one.
KINDS: dict[str, FaultKind] = {
    "link_down": FaultKind("peer"),
    "half_open": FaultKind("peer"),
    "reset": FaultKind("peer"),
    "delay": FaultKind("peer", ("delay of each piece of data", "s", 0.0, 60.0)),
    "drop": FaultKind("peer", ("share of the pieces of data that are lost", "1", 0.0, 1.0)),
    "duplicate": FaultKind("peer", ("share of the pieces of data that are sent twice", "1", 0.0, 1.0)),
    "server_errors": FaultKind("service"),
    "disk_replaced": FaultKind("gateway"),
    "spoofed_source": FaultKind("gateway"),
    "drift": FaultKind("signal", ("change a day", "the signal's unit", -1e6, 1e6)),
    "stuck": FaultKind("signal"),
    "replayed": FaultKind("signal", ("age of the values that are shown again", "h", 1.0, 24.0 * 14)),
    "spikes": FaultKind("signal", ("size of the spikes", "the signal's unit", -1e6, 1e6)),
    "unit_swap": FaultKind("signal"),
    "wrong_scaling": FaultKind("signal", ("factor", "1", -1e6, 1e6)),
    "clock_skew": FaultKind("clock", ("gain of the clock a day", "s", -86_400.0, 86_400.0)),
    "clock_step": FaultKind("clock", ("how far the clock is ahead", "s", -1e8, 1e8)),
}
#: Signals that may be wrong, by asset type.
SIGNALS = {
    "cold_room": ("temperature",), "truck": ("speed", "odometer", "fuel"), "forklift": ("battery", "load")
}  # fmt: skip
#: Peers whose connections may fail.
#: ``trucks`` and ``forklifts`` are what is between their gateways and the brokers, ``mqtt`` what is between the trucks' broker and the historian.
CONNECTED = ("erp", "forklifts", "modbus", "mqtt", "opcua", "rest", "trucks")
_TYPES = {"R": "cold_room", "T": "truck", "F": "forklift"}


class ScheduledFault(Model):
    """One fault."""

    kind: str
    target: str
    """A peer such as ``modbus``, or an asset such as ``R01``."""
    start: Duration | None = None
    """After so long a time of the plant since the run's begin; without it from the begin on."""
    lasts: Duration | None = None
    """Without it the fault lasts until the end."""
    signal: str | None = None
    amount: float | None = None

    @field_validator("kind")
    @classmethod
    def _known(cls, kind: str) -> str:
        if kind not in KINDS:
            msg = f"there is no fault {kind!r}{nearest(kind, KINDS)}"
            raise ValueError(msg)
        return kind

    @field_validator("amount")
    @classmethod
    def _finite(cls, amount: float | None, info: ValidationInfo) -> float | None:
        kind = KINDS.get(info.data.get("kind", ""))
        if kind is not None and kind.amount is not None and amount is not None:
            what, unit, least, most = kind.amount
            if not least <= amount <= most:
                msg = f"expected a {what} from {least:g} to {most:g} ({unit}), got {amount!r}"
                raise ValueError(msg)
        return amount

    @model_validator(mode="after")
    def _fits(self) -> Self:
        kind = KINDS[self.kind]
        if (kind.amount is None) != (self.amount is None):
            what = "no amount" if kind.amount is None else f"an amount: the {kind.amount[0]} ({kind.amount[1]})"
            msg = f"{self.kind}: expected {what}, got {self.amount!r}"
            raise ValueError(msg)
        if kind.of == "peer" and self.target not in CONNECTED:
            msg = f"{self.kind}: expected a peer as target, one of {', '.join(CONNECTED)}, got {self.target!r}"
            raise ValueError(msg)
        if kind.of == "service" and self.target != "rest":
            msg = f"{self.kind}: expected the target rest, got {self.target!r}"
            raise ValueError(msg)
        if kind.of == "gateway" and self.asset_type != "truck":
            msg = f"{self.kind}: expected a truck as target, such as T001, got {self.target!r}"
            raise ValueError(msg)
        if kind.of in ("signal", "clock") and self.asset_type == "":
            msg = f"{self.kind}: expected an asset as target, such as R01, T001 or F01, got {self.target!r}"
            raise ValueError(msg)
        if kind.of == "clock" and self.asset_type == "forklift":
            msg = f"{self.kind}: expected a cold room or a truck as target, whose clocks may be wrong, got {self.target!r}"
            raise ValueError(msg)
        known = SIGNALS.get(self.asset_type, ())
        if kind.of == "signal" and self.signal not in known:
            msg = f"{self.kind}: expected a signal of {self.target}, one of {', '.join(known)}, got {self.signal!r}"
            raise ValueError(msg)
        if kind.of != "signal" and self.signal is not None:
            msg = f"{self.kind}: expected no signal, got {self.signal!r}"
            raise ValueError(msg)
        return self

    @property
    def asset_type(self) -> str:
        """Type of the asset that is the target; empty for a peer."""
        return _TYPES.get(self.target[:1], "") if self.target[1:].isdigit() else ""

    def span(self, begin: int) -> tuple[int, int]:
        """Return first second and first second after, for a run that begins at ``begin``."""
        start = begin + (0 if self.start is None else round(parse_duration(self.start) / 1e9))
        return start, (2**62 if self.lasts is None else start + round(parse_duration(self.lasts) / 1e9))


class Schedule(Model):
    """Faults of a run."""

    faults: tuple[ScheduledFault, ...] = ()


def read_schedule(path: str | Path) -> Schedule:
    """Read a schedule.

    Raises
    ------
    SchemaError
        If the file can't be read or isn't valid; names the path of each fault in it, such as ``faults.2.amount``.
    """
    try:
        found = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError, UnicodeDecodeError) as error:
        msg = f"schedule of faults {path}: {error}"
        raise SchemaError(msg) from error
    return schedule_faults(found or {}, f"schedule of faults {path}")


def schedule_faults(given: object, what: str) -> Schedule:
    """Return a schedule of plain values, such as YAML or JSON has.

    Raises
    ------
    SchemaError
        If it isn't valid; names ``what`` it is, and the path of each fault in it.
    """
    try:
        return Schedule.model_validate(given)
    except ValidationError as error:
        found = "; ".join(
            f"{'.'.join(map(str, one['loc']))}: {one['msg'].removeprefix('Value error, ')}" for one in error.errors()
        )
        msg = f"{what}: {found}"
        raise SchemaError(msg) from error
