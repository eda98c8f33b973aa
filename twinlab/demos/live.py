"""The parcel twin live: a plant, a historian that follows it, and the twin that both are for; started and stopped together."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

import yaml

from twinlab._locks import Lock
from twinlab.demos.live_control import write_control
from twinlab.demos.live_mappings import live_mappings
from twinlab.demos.live_past import past_mappings, write_past
from twinlab.demos.live_watch import watch_usual
from twinlab.demos.recipes import cache_folder, write_live_recipe
from twinlab.errors import SchemaError, SourceError
from twinlab.history.read.datasets import instant_ns
from twinlab.model.load import load_model
from twinlab.plant import ParcelSize, Plant
from twinlab.plant.peers.children import bound_command
from twinlab.plant.run.orders import send_order
from twinlab.plant.run.true_signals import true_signals
from twinlab.twin import Twin, create

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["LiveParcel", "live_demo"]

#: Seconds that a program may take to start, or to stop by itself.
_STARTS, _STOPS = 120.0, 20.0


class LiveParcel:
    """A running plant with a twin that follows it; a context manager.

    The plant has run since Monday of the week before. By default its clock is this machine's, and its servers show what happens now.

    Parameters
    ----------
    folder : Path
        A new folder. Gets ``plant/`` (truth, log, addresses, secrets) and ``twin/``.
    size : ParcelSize, optional
        Numbers of assets and the seed; its days are replaced. By default the small network.
    peers : sequence of str, optional
        The plant's servers: of ``erp, mqtt, forklifts, modbus, opcua, rest, dispatch``; by default all.
    begin : instant, optional
        Time of the plant at which it is started, naive is UTC; now by default. Modbus has no clock: its values have this machine's
        time, whatever the plant's is.
    speed : float
        Seconds of the plant in a second.
    faults : path, optional
        Schedule of faults, as of ``twinlab plant run --faults``.
    model : path, optional
        Another ``twin.yaml`` than the demo's, with the same asset types and signals.
    past : bool
        Whether the twin first ingests the files that the plant's systems have written until then, and learns from them what is usual: cold rooms are
        watched, and the gateways of trucks score their rows.

    Raises
    ------
    SchemaError
        If it begins later than now, or runs at another speed than 1 without ``begin``.
    SourceError
        If the plant or the historian doesn't start; the error has what it said.
    """

    def __init__(
        self,
        folder: Path,
        size: ParcelSize | None = None,
        *,
        peers: tuple[str, ...] = (),
        begin: object = None,
        speed: float = 1.0,
        faults: Path | None = None,
        model: Path | None = None,
        past: bool = False,
    ) -> None:
        self.folder, self._peers, self._speed, self._faults = folder, peers, speed, faults
        self._model = model
        self._past = past
        now = datetime.now(UTC)
        self._now = begin is None
        self._begin = now if begin is None else datetime.fromtimestamp(instant_ns(begin) / 1e9, UTC)
        if self._begin > now or (speed != 1 and begin is None):
            msg = (
                f"expected a plant that begins before now if its speed isn't 1, got begin={begin!r} and speed={speed:g}"
            )
            raise SchemaError(msg)
        today = self._begin.replace(hour=0, minute=0, second=0, microsecond=0)
        monday = today - timedelta(days=today.weekday() + 7)
        wanted = size or ParcelSize.small()
        self._size = replace(wanted, start=f"{monday:%Y-%m-%d}", weeks=max(wanted.weeks, 3))
        self._stack = ExitStack()
        self.twin: Twin

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            self.folder.mkdir(parents=True, exist_ok=True)
            state = self.folder / "state.json"
            plant = Plant(self._size)
            step = plant.advance(int(self._begin.timestamp()))
            plant.save(state)
            workbooks = self.folder / "plant" / "dispatch"
            files = write_past(plant, step, self.folder / "past", workbooks=workbooks) if self._past else []
            self._start(
                stack, "plant", "plant", "run", "--folder", str(self.folder / "plant"), "--state", str(state),
                "--speed", str(self._speed), *(("--now",) if self._now else ()), *(("--peers", *self._peers) if self._peers else ()),
                *(() if self._faults is None else ("--faults", str(self._faults))),
                ready=self.folder / "plant" / "plant.json",
            )  # fmt: skip
            notice = json.loads((self.folder / "plant" / "plant.json").read_text(encoding="utf-8"))
            mappings = self.folder / "mapping"
            mappings.mkdir(exist_ok=True)
            before = past_mappings(plant.time, wear=self._size.failures is not None) if self._past else {}
            model = self._model or write_live_recipe(self._size, self.folder / "recipe") / "twin.yaml"
            types = load_model(model).asset_types
            signals = {(name, signal) for name, one in types.items() for signal in one.signals}
            for name, mapping in {**before, **live_mappings(notice["peers"], signals=signals)}.items():
                text = yaml.safe_dump(mapping, allow_unicode=True, sort_keys=False)
                (mappings / f"{name}.yaml").write_text(text, encoding="utf-8")
            self.twin = create(self.folder / "twin", model=model, mappings=mappings)
            write_control(notice["peers"], self.twin.folder)
            self.twin.ingest(*files)
            if files:
                watch_usual(self.twin, self.folder / "plant" / "mqtt")
            self._start(
                stack, "historian", "run", str(self.twin.folder), ready=self.twin.folder / "live" / "status.json"
            )
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def order(self, kind: str, target: str, **details: str | float) -> None:
        """Command the plant, or begin a fault in it; see `twinlab.plant.run.orders.send_order`.

        Parameters
        ----------
        kind : str
            A command or a fault, such as ``"link_down"``.
        target : str
            An asset, a trip or a server.
        **details
            ``signal``, ``amount`` and ``lasts`` (a duration of the plant's time, such as ``"15min"``), as the kind takes them.
        """
        send_order(self.folder / "plant", {"kind": kind, "target": target, **details})

    def truth(self) -> dict[str, pd.DataFrame]:
        """Return the true values so far, for `Twin.fidelity`; see `twinlab.plant.run.true_signals.true_signals`."""
        return true_signals(self.folder / "plant")

    def _start(self, stack: ExitStack, name: str, *arguments: str, ready: Path) -> None:
        """Start a command of twinlab, and wait until it has written a file."""
        log = self.folder / f"{name}.log"
        with log.open("wb") as output:
            process = subprocess.Popen(  # noqa: S603  (our own program)
                bound_command([sys.executable, "-m", "twinlab.cli", *arguments]),
                # Ctrl+C ends this process, which then stops the others in order.
                stdout=output, stderr=output, start_new_session=True,
            )  # fmt: skip
        stack.callback(_stop, process)
        until = time.monotonic() + _STARTS
        while not ready.exists():
            if process.poll() is not None or time.monotonic() > until:
                said = log.read_text(encoding="utf-8", errors="replace").strip()[-1000:]
                msg = f"the {name} of the live demo doesn't start: {said or 'no output'}"
                raise SourceError(msg)
            time.sleep(0.05)


@contextmanager
def live_demo(name: str, size: ParcelSize | None = None) -> Iterator[LiveParcel]:
    """Run a live demo in the user's cache, in place of the last one.

    Raises
    ------
    SchemaError
        If the demo can't run live.
    HistoryConflictError
        If another live demo runs.
    SourceError
        If the plant or the historian doesn't start.
    """
    if name != "parcel":
        msg = f"expected the demo 'parcel' with --live, got {name!r}: only the parcel network has a plant that runs"
        raise SchemaError(msg)
    folder = cache_folder() / "parcel-live"
    with Lock(folder.with_name(".parcel-live.lock"), what="the live demo"):
        shutil.rmtree(folder, ignore_errors=True)
        with LiveParcel(folder, size, past=True) as running:
            yield running


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(_STOPS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
