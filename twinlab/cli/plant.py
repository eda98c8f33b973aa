"""``twinlab plant``: run the simulated parcel network as a program, with servers as a real one has."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from twinlab._click import Command, Group, Several
from twinlab.cli.commands import group, path_option, say
from twinlab.cli.sizes import network_sizes

__all__: list[str] = []


@group.group("plant", cls=Group, example="twinlab plant run --folder plant/ --small --speed 60")
def _plant() -> None:
    """Run the simulated parcel network with live servers."""


@_plant.command(
    "run", cls=Command,
    example="twinlab plant run --folder plant/ --small --speed 60\ntwinlab plant run --folder plant/ --peers modbus opcua",
)  # fmt: skip
@path_option(
    "--folder", required=True, metavar="DIR", help="A new folder. Gets the truth, a log, addresses and secrets."
)
@click.option("--speed", type=float, default=1.0, show_default=True, metavar="X", help="Seconds of the plant a second.")
@click.option("--now", is_flag=True, help="The plant's clock is this machine's; with --state.")
@click.option(
    "--peers",
    cls=Several,
    metavar="NAME",
    help="What to start (default: all): erp, mqtt, forklifts, modbus, opcua, rest, dispatch.",
)
@click.option("--state", type=click.Path(path_type=Path), metavar="FILE",
              help="Go on from a state.json that an earlier run has saved.")  # fmt: skip
@path_option("--faults", metavar="YAML", help="Faults by schedule: of sensors, clocks and connections.")
@click.option("--small", is_flag=True, help="12 trucks, 2 weeks; the next options change it.")
@network_sizes()
@click.option("--start", metavar="DAY", help="First day, a Monday (default: 2026-01-05; small: 2026-03-23).")
def _run(
    folder: Path, *, speed: float, now: bool, peers: tuple[str, ...], state: Path | None, faults: Path | None, small: bool, start: str | None, failures: bool, **counts: int | None
) -> None:  # fmt: skip
    """Run the plant until it is stopped (Ctrl+C, SIGTERM) or its weeks are over."""
    import asyncio  # noqa: PLC0415  (each command loads its rooms only)
    import logging  # noqa: PLC0415

    from twinlab.errors import SchemaError  # noqa: PLC0415
    from twinlab.plant import FailureRates, ParcelSize, Plant  # noqa: PLC0415
    from twinlab.plant.faults.schedule import read_schedule  # noqa: PLC0415
    from twinlab.plant.run.chosen import PEERS, make_peers  # noqa: PLC0415
    from twinlab.plant.run.runner import run_plant  # noqa: PLC0415

    names = {"rooms": "cold_rooms", "parcels": "parcels_a_week"}
    given = {names.get(name, name): count for name, count in counts.items() if count is not None}
    wanted: dict[str, Any] = {
        **given, **({} if start is None else {"start": start}), **({"failures": FailureRates()} if failures else {})
    }  # fmt: skip
    if state is not None and (small or wanted):
        msg = "expected --state or a size: a state has its size"
        raise SchemaError(msg)
    size = ParcelSize(**{**(ParcelSize.small() if small else ParcelSize()).to_dict(), **wanted})
    plant = Plant(size) if state is None else Plant.load(state)
    schedule = None if faults is None else read_schedule(faults)
    say(plant.size.label())
    folder.mkdir(parents=True, exist_ok=True)
    # Gateways without a link and refused orders, once for each of many trucks.
    logging.basicConfig(filename=folder / "plant.log", format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    servers = make_peers(plant, folder, peers or PEERS)
    say(
        str(
            asyncio.run(
                run_plant(plant, folder, speed=speed, peers=servers, faults=schedule, now=now, ready=_say_ready)
            )
        )
    )


@_plant.command(
    "order", cls=Command,
    example="twinlab plant order plant/ open_door R01\n"
    "twinlab plant order plant/ hold_trip TR00042 --amount 90\n"
    "twinlab plant order plant/ drift R01 --signal temperature --amount 2 --lasts 1d\n"
    "twinlab plant order plant/ link_down modbus --lasts 30min",
)  # fmt: skip
@path_option("folder", help="Folder of the running plant.")
@click.argument("kind", help="A command, such as open_door, or a fault, such as link_down.")
@click.argument("target", help="An asset, a trip or a server.")
@click.option("--amount", type=float, metavar="X", help="Value of a command or amount of a fault, if it takes one.")
@click.option("--signal", metavar="NAME", help="Faults of sensors: which signal.")
@click.option("--lasts", metavar="TIME", help="How long, in the plant's time, such as 30min (default: until the end).")
def _order(
    folder: Path, *, kind: str, target: str, amount: float | None, signal: str | None, lasts: str | None
) -> None:
    """Command a running plant, or begin a fault in it."""
    from twinlab.plant.run.orders import send_order  # noqa: PLC0415

    given = {"kind": kind, "target": target, "amount": amount, "signal": signal, "lasts": lasts}
    send_order(folder, {name: value for name, value in given.items() if value is not None})
    say(f"ordered {kind} of {target}")


@_plant.command("twin", cls=Command, example="twinlab plant twin plant/ pilot/\ntwinlab run pilot/")
@path_option("plant", help="Folder of the running plant.")
@path_option("folder", help="Folder of the new twin.")
def _twin(plant: Path, *, folder: Path) -> None:
    """Make a twin that follows a running plant: its model, and a mapping for each server."""
    from twinlab.demos.plant_twin import twin_of_plant  # noqa: PLC0415

    made = twin_of_plant(plant, folder)
    say(f"wrote {made.folder}; next: twinlab run {made.folder}")


def _say_ready(addresses: dict[str, dict[str, object]]) -> None:
    """Print where the servers are."""
    for name, address in addresses.items():
        where = address.get("endpoint") or f"{address['host']}:{address['port']}"
        say(f"{name:8} {where}")
    say("Running. Stop with Ctrl+C.")
