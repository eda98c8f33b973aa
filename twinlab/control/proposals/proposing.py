"""Make a proposal: read the present state, check, simulate."""

from __future__ import annotations

import math
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from twinlab.commands.messages.state import state_hash
from twinlab.control.proposals.effects.outcome import Effect, Unknown
from twinlab.control.proposals.effects.queues import queue_effect
from twinlab.control.proposals.effects.rooms import room_effect
from twinlab.control.proposals.effects.stopping import stopping_effect
from twinlab.control.proposals.effects.trips import trip_effect
from twinlab.control.proposals.proposal import Check, Proposal
from twinlab.control.proposals.setpoints import parse_setpoint, rounded
from twinlab.control.proposals.situation.conditions import truth_of
from twinlab.control.proposals.situation.memory import Memory
from twinlab.control.proposals.situation.neighbours import neighbours_of
from twinlab.control.proposals.situation.queues import queue_now
from twinlab.control.proposals.situation.readings import Reading, present_readings
from twinlab.control.proposals.situation.rooms import room_now
from twinlab.control.proposals.situation.trips import trip_now
from twinlab.errors import CommandRejectedError, UnknownTermError
from twinlab.events.present_state.cached_reader import cached_reader
from twinlab.model.commands.checks import present_condition
from twinlab.model.commands.effects import QueueEffect, RoomEffect, StoppingEffect, TripEffect
from twinlab.model.expressions.walk import signals_of
from twinlab.model.terms import nearest
from twinlab.model.units import convert

if TYPE_CHECKING:
    from twinlab.model.commands.spec import CommandSpec
    from twinlab.model.reader import TwinReader
    from twinlab.model.twinmodel import TwinModel

__all__ = ["Request", "propose", "spec_of"]

#: Asset types, event types and relationships -> why what is known of them isn't settled, for one asset; None if it is.
Settled = Callable[[str, Sequence[str]], str | None]


@dataclass(frozen=True)
class Request:
    """What somebody asks for."""

    target: str
    parameter: str
    value: object
    reason: str


def spec_of(model: TwinModel, target: str, parameter: str) -> CommandSpec:
    """Return what the model states of a parameter of an asset.

    Raises
    ------
    CommandRejectedError
        If the model has no ``commands:``: the twin is read-only.
    UnknownTermError
        If the asset's type has none, or not this parameter.
    """
    if not model.commands:
        msg = f"the twin {model.twin!r} is read-only: its twin.yaml has no `commands:`; state there what may be set, and within which limits"
        raise CommandRejectedError(msg)
    kind, _, asset = target.partition("/")
    if not asset:
        msg = f"expected an asset as '<type>/<name>', such as '{next(iter(model.commands))}/7', got {target!r}"
        raise UnknownTermError(msg)
    if kind not in model.commands:
        msg = f"nothing of {kind!r} can be set{nearest(kind, model.commands)}; twin.yaml has commands for {', '.join(model.commands)}"
        raise UnknownTermError(msg)
    if parameter not in model.commands[kind]:
        known = model.commands[kind]
        msg = f"{kind!r} has no parameter {parameter!r} that can be set{nearest(parameter, known)}; known: {', '.join(known)}"
        raise UnknownTermError(msg)
    return model.commands[kind][parameter]


def propose(
    twin: TwinReader,
    request: Request,
    *,
    now: np.datetime64,
    settled: Settled | None = None,
    memory: Memory | None = None,
    simulate: bool = True,
    seed: int = 0,
) -> Proposal:
    """Return what a command would do, from the state at ``now``.

    Parameters
    ----------
    twin : TwinReader
    request : Request
    now : datetime64
        The present, UTC.
    settled : callable, optional
        Returns why what is known of an asset, and of types, isn't settled; by default everything is.
    memory : Memory, optional
        What was learnt from the past before, for the next call.
    simulate : bool
        Whether effects are simulated; without them nothing can be approved.
    seed : int
        Of the simulated futures.

    Raises
    ------
    CommandRejectedError
        If the twin is read-only, the reason is empty, or the setpoint is between two steps of the reported signal.
    UnknownTermError
        If there is no such asset or parameter.
    SchemaError
        If the setpoint is no number; a UnitError if its unit doesn't convert.
    """
    now = now.astype("M8[ns]")
    # Links and assets are read once.
    twin = cached_reader(twin)
    model = twin.model
    spec = spec_of(model, request.target, request.parameter)
    kind, _, asset = request.target.partition("/")
    if asset not in twin.assets(kind).index:
        msg = f"the twin has no {kind} {asset!r}{nearest(asset, map(str, twin.assets(kind).index))}"
        raise UnknownTermError(msg)
    if not request.reason.strip() or len(request.reason) > 500:
        msg = f"reason: expected a sentence of at most 500 characters, got {len(request.reason)}; others read it in the audit"
        raise CommandRejectedError(msg)
    signal = model.asset_types[kind].signals[spec.signal]
    step = None if signal.resolution is None else abs(_difference(signal.resolution, str(signal.unit), spec.unit))
    value = parse_setpoint(request.value, spec.unit, resolution=step)
    readings = present_readings(twin, kind, asset, _signals(spec, kind, model), now=now)
    raw = readings[spec.signal]
    reported = rounded(float(convert(raw.value, raw.unit, spec.unit)), step)
    ask = _Ask(twin, kind, asset, spec, reported, value, readings, now, memory or Memory(), seed)
    checks = _checks(ask, settled)
    watched = {name: readings[name].value for name in spec.watched}
    known = math.isfinite(reported) and all(math.isfinite(one) for one in watched.values())
    expected = state_hash(request.target, request.parameter, reported, spec.unit, watched=watched) if known else ""
    passed = all(check.passed for check in checks)
    effects = tuple(_effect(one, ask) for one in spec.simulate_with) if passed and simulate else ()
    return Proposal(
        str(uuid.uuid4()), model.twin, request.target, request.parameter, value, spec.unit, request.reason.strip(),
        f"{pd.Timestamp(now):%Y-%m-%dT%H:%M:%S}Z", reported, expected, checks, effects,
        neighbours_of(twin, kind, asset, now=now), spec.people, tuple(spec.roles),
    )  # fmt: skip


@dataclass(frozen=True)
class _Ask:
    """What an effect is simulated from."""

    twin: TwinReader
    kind: str
    asset: str
    spec: CommandSpec
    before: float
    after: float
    readings: dict[str, Reading]
    now: np.datetime64
    memory: Memory
    seed: int

    def usable(self, signal: str) -> float | Unknown:
        return self.readings[signal].usable(self.now, fresh_s=self.spec.fresh_ns / 1e9)


def _effect(options: QueueEffect | RoomEffect | TripEffect | StoppingEffect, ask: _Ask) -> Effect:
    spec, asset = ask.spec, (ask.twin, ask.kind, ask.asset)
    match options:
        case QueueEffect():
            before, after = (float(convert(one, spec.unit, "m/s")) for one in (ask.before, ask.after))
            queue = queue_now(*asset, options, speed=spec.signal, now=ask.now, memory=ask.memory)
            return queue_effect(queue, before, after, options, now=ask.now, seed=ask.seed)
        case StoppingEffect():
            before, after = (float(convert(one, spec.unit, "m/s")) for one in (ask.before, ask.after))
            distance = ask.usable(options.distance)
            if not isinstance(distance, Unknown):
                distance = float(convert(distance, ask.readings[options.distance].unit, "m"))
            return stopping_effect(distance, before, after, options)
        case RoomEffect():
            unit = ask.readings[options.temperature].unit
            before, after = (float(convert(one, spec.unit, unit)) for one in (ask.before, ask.after))
            blocked = [one for one in map(ask.usable, (options.temperature, options.door)) if isinstance(one, Unknown)]
            room = (
                blocked[0] if blocked else room_now(*asset, options, set_point=before, now=ask.now, memory=ask.memory)
            )
            return room_effect(room, before, after, options, now=ask.now, seed=ask.seed)
        case TripEffect():
            trip = trip_now(ask.twin, ask.asset, options, share=ask.before, now=ask.now)
            return trip_effect(trip, ask.before, ask.after, options)


def _signals(spec: CommandSpec, kind: str, model: TwinModel) -> list[str]:
    """Return the signals of the asset that a proposal is based on."""
    names = [spec.signal, *spec.watched]
    for text in spec.interlocks:
        names += signals_of(present_condition(text, kind, model))
    for effect in spec.simulate_with:
        if isinstance(effect, StoppingEffect):
            names.append(effect.distance)
        if isinstance(effect, RoomEffect):
            names += [effect.temperature, effect.door, effect.compressor]
    return list(dict.fromkeys(names))


def _checks(ask: _Ask, settled: Settled | None) -> tuple[Check, ...]:
    spec, value, reported, readings, now = ask.spec, ask.after, ask.before, ask.readings, ask.now
    (low, high), unit = spec.limits, "" if spec.unit == "1" else f" {spec.unit}"
    found = [
        Check(
            "limits", low <= value <= high, f"expected a setpoint from {low:g} to {high:g}{unit}, got {value:g}{unit}"
        ),
        Check("change", value != reported, f"expected another value than the reported one, {reported:g}{unit}"),
    ]
    if math.isfinite(reported):
        step, most = abs(value - reported), spec.largest_step
        fine = step <= most + 1e-9 * max(1.0, most)
        found.append(
            Check(
                "step", fine, f"expected a step of at most {most:g}{unit}, got {step:g}{unit} from {reported:g}{unit}"
            )
        )
    for name in dict.fromkeys([spec.signal, *spec.watched]):
        fault = readings[name].fault(now, fresh_s=spec.fresh_ns / 1e9)
        age = readings[name].age_s(now)
        found.append(Check("fresh", fault is None, fault or f"{name} is {age:.0f} s old and passes its quality tests"))
    if settled is not None:
        why = settled(f"{ask.kind}/{ask.asset}", _needed(spec, ask.kind, ask.twin.model))
        found.append(
            Check("settled", why is None, why or "the sources that it is based on are connected, without missing rows")
        )
    properties = dict(ask.twin.assets(ask.kind).loc[ask.asset])
    values = {name: one.value for name, one in readings.items() if one.fault(now, fresh_s=spec.fresh_ns / 1e9) is None}
    for text in spec.interlocks:
        truth = truth_of(present_condition(text, ask.kind, ask.twin.model), values, properties)
        said = {
            True: f"interlock {text}: true",
            False: f"interlock: expected {text}, which isn't so",
            None: f"interlock: whether {text} isn't known",
        }
        found.append(Check("interlock", truth is True, said[truth]))
    return tuple(found)


def _needed(spec: CommandSpec, kind: str, model: TwinModel) -> list[str]:
    """Return the asset types, event types and relationships that a proposal is based on."""
    names = [kind]
    for effect in spec.simulate_with:
        if isinstance(effect, QueueEffect):
            names += [
                effect.place,
                effect.waiting,
                model.relationships[effect.waiting].source,
                *([effect.arrivals] if effect.arrivals else []),
            ]
        if isinstance(effect, TripEffect):
            names += [effect.trips, effect.legs]
    return list(dict.fromkeys(names))


def _difference(step: float, source: str, target: str) -> float:
    """Return a difference in another unit."""
    one, other = convert([0.0, step], source, target)
    # Of a temperature the two ends are converted, and not the difference.
    return float(f"{other - one:.12g}")
