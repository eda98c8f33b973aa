"""Orders to a running plant: commands and faults, as small files in its folder that the run takes in order."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Iterator
from pathlib import Path

from twinlab._files import write_atomically
from twinlab.errors import CommandRejectedError, SchemaError, TwinlabError
from twinlab.model.basics import parse_duration
from twinlab.model.terms import nearest
from twinlab.plant.faults.schedule import KINDS, ScheduledFault, schedule_faults
from twinlab.plant.run.injector import Injector
from twinlab.plant.steps.commands import COMMANDS, check_command
from twinlab.plant.steps.plant import Plant

__all__ = ["Order", "carry_out", "send_order"]

_LOG = logging.getLogger("twinlab.plant")
#: An order: kind, target, and what its kind takes of signal, amount and lasts.
Order = dict[str, str | float]


def send_order(folder: str | Path, order: Order) -> Path:
    """Write an order for the plant that runs in a folder; it is carried out at its next step.

    Parameters
    ----------
    folder : path
        The run's folder.
    order : dict
        ``kind`` is a command (`COMMANDS`) or a fault (`KINDS`), ``target`` an asset, a trip or a peer; ``signal``, ``amount`` and
        ``lasts`` as the kind takes them.

    Raises
    ------
    SchemaError
        If no plant runs there, or the order isn't a fault or a command with valid values.
    CommandRejectedError
        If the values don't fit the command.
    """
    target = Path(folder)
    if not (target / "plant.json").exists():
        msg = f"{target}: expected the folder of a running plant, with plant.json; start one with: twinlab plant run --folder {target}"
        raise SchemaError(msg)
    _parse(order)
    waiting = target / "orders"
    waiting.mkdir(exist_ok=True)
    text = json.dumps(order)
    return write_atomically(waiting / f"{time.time_ns()}.json", lambda draft: draft.write_text(text, encoding="utf-8"))


def carry_out(folder: Path, plant: Plant, injector: Injector) -> None:
    """Carry out the orders that wait; those that can't be are logged and left out."""
    for path, order in _waiting(folder / "orders"):
        try:
            found = _parse(order)
            if isinstance(found, ScheduledFault):
                injector.add(found, plant.time)
            else:
                value, seconds = found
                plant.command(str(order["kind"]), str(order.get("target")), value, seconds=seconds)
        except TwinlabError as error:
            _LOG.warning("the order %s was refused: %s", path.name, error)
        path.unlink()


def _waiting(folder: Path) -> Iterator[tuple[Path, Order]]:
    for path in sorted(folder.glob("*.json")):
        try:
            order = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            order = None
        yield path, order if isinstance(order, dict) else {}


def _parse(order: Order) -> ScheduledFault | tuple[float | None, int | None]:
    """Return a fault, or the value and duration of a command."""
    kind, lasts = str(order.get("kind")), order.get("lasts")
    if kind in KINDS:
        return schedule_faults({"faults": [order]}, "order").faults[0]
    if kind not in COMMANDS:
        msg = f"expected a command or a fault, got {kind!r}{nearest(kind, [*COMMANDS, *KINDS])}"
        raise SchemaError(msg)
    if "signal" in order:
        msg = f"{kind}: expected no signal, got {order['signal']!r}"
        raise CommandRejectedError(msg)
    try:
        value = float(order["amount"]) if "amount" in order else None
        seconds = None if lasts is None else round(parse_duration(str(lasts)) / 1e9)
    except (TypeError, ValueError) as error:
        msg = f"order {kind}: {error}"
        raise SchemaError(msg) from error
    check_command(kind, value, seconds)
    return value, seconds
