"""Run the plant: advance it with the clock, show it through its peers, record its truth, end cleanly."""

from __future__ import annotations

import asyncio
import json
import shutil
import signal
import time
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from twinlab._files import write_atomically
from twinlab.errors import SchemaError
from twinlab.plant.faults.schedule import Schedule
from twinlab.plant.peers.peer import Peer, moment_of
from twinlab.plant.run.injector import Injector
from twinlab.plant.run.orders import carry_out
from twinlab.plant.run.truth import Truth
from twinlab.plant.steps.plant import Plant

__all__ = ["RunReport", "run_plant"]


@dataclass(frozen=True)
class RunReport:
    """How a run ended."""

    begin: datetime
    end: datetime
    steps: int
    behind: float
    """Largest number of seconds that a step ended after the clock."""

    def __str__(self) -> str:
        """Return one line."""
        span = f"{self.begin:%Y-%m-%d %H:%M} to {self.end:%Y-%m-%d %H:%M} UTC"
        return f"ran from {span} in {self.steps:,} steps, at most {self.behind:.1f} s behind the clock"


async def run_plant(
    plant: Plant,
    folder: str | Path,
    *,
    speed: float = 1.0,
    peers: Sequence[Peer] = (),
    faults: Schedule | None = None,
    now: bool = False,
    tick: float = 0.5,
    stop: asyncio.Event | None = None,
    ready: Callable[[dict[str, dict[str, object]]], None] | None = None,
) -> RunReport:
    """Run a plant until the end of its plan, or until it is stopped.

    Parameters
    ----------
    plant : Plant
        Where it begins; a loaded one goes on from its state.
    folder : path
        Gets ``truth/``, ``plant.json`` and ``secrets/`` (the peers' addresses, certificates and passwords, while it runs), and ``state.json`` (the plant at the end).
    speed : float
        Seconds of the plant in a second of the clock.
    peers : sequence of Peer
        Started before the first step and stopped after the last one, in the opposite order, whatever happens.
    faults : Schedule, optional
        Faults of sensors and connections, by their time since the run's begin. More may be ordered while it runs, see
        `send_order`.
    now : bool
        The plant's clock is this machine's from the first step on, which makes up for the time since the plant's own. By default
        the first step begins at the plant's time, once all peers listen.
    tick : float
        Seconds of the clock between steps.
    stop : asyncio.Event, optional
        Ends the run when it is set; SIGINT and SIGTERM do so, too.
    ready : callable, optional
        Called with the peers' addresses by name, once all of them listen.

    Raises
    ------
    SchemaError
        If the speed isn't a positive number, or the folder has the truth of another run; with ``now`` if the speed isn't 1 or the
        plant's time isn't before this machine's.
    """
    if not 0 < speed < float("inf"):
        msg = f"expected a speed above 0, such as 60 for a minute a second, got {speed!r}"
        raise SchemaError(msg)
    if now and (speed != 1 or plant.time > time.time()):
        msg = f"expected speed 1 and a plant whose time is before this machine's, got {speed:g} and {datetime.fromtimestamp(plant.time, UTC)}"
        raise SchemaError(msg)
    target = Path(folder)
    if (target / "truth").exists():
        msg = f"{target}: expected a folder without the truth of another run: name a new folder, or remove truth/ in it"
        raise SchemaError(msg)
    ending = stop or asyncio.Event()
    begin, steps, behind = plant.time, 0, 0.0
    async with AsyncExitStack() as stack:
        truth = stack.enter_context(Truth(target / "truth"))
        stack.callback(plant.save, target / "state.json")
        stack.callback(shutil.rmtree, target / "secrets", ignore_errors=True)
        stack.callback(_catch_signals(ending))
        injector = Injector(plant, faults or Schedule())
        empty = moment_of(plant, plant.advance(plant.time))
        addresses: dict[str, dict[str, object]] = {}
        stack.push_async_callback(injector.stop)
        for peer in peers:
            stack.push_async_callback(peer.stop)
            await peer.start(empty)
            addresses[peer.name] = await injector.attach(peer)
        notice = {"speed": speed, "size": plant.size.to_dict(), "peers": addresses}
        path = write_atomically(target / "plant.json", lambda draft: draft.write_text(json.dumps(notice, indent=2)))
        stack.callback(path.unlink, missing_ok=True)
        if ready is not None:
            ready(addresses)
        started = time.monotonic() - (time.time() - begin if now else 0)
        while plant.time < plant.size.span[1] and not ending.is_set():
            passed = time.monotonic() - started
            carry_out(target, plant, injector)
            until = min(begin + int(passed * speed), plant.size.span[1])
            step = plant.advance(max(until, plant.time))
            truth.record(plant, step)
            await injector.apply(step, truth)
            moment = moment_of(plant, step, injector.sensors)
            for peer in peers:
                await peer.publish(moment)
            steps += 1
            used = time.monotonic() - started - passed
            behind = max(behind, used - tick)
            await _wait(ending, max(0.0, tick - used))
    return RunReport(datetime.fromtimestamp(begin, UTC), datetime.fromtimestamp(plant.time, UTC), steps, behind)


async def _wait(ending: asyncio.Event, seconds: float) -> None:
    try:
        await asyncio.wait_for(ending.wait(), max(seconds, 0.001))
    except TimeoutError:
        return


def _catch_signals(ending: asyncio.Event) -> Callable[[], None]:
    """Let SIGINT and SIGTERM set the event; return what removes the handlers again."""
    loop = asyncio.get_running_loop()
    caught: list[int] = []
    for one in (signal.SIGINT, signal.SIGTERM):
        try:
            loop.add_signal_handler(one, ending.set)
        except (NotImplementedError, RuntimeError, ValueError):
            # No signals outside of the main thread, nor on Windows.
            break
        caught.append(one)

    def remove() -> None:
        for one in caught:
            loop.remove_signal_handler(one)

    return remove
