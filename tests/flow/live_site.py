"""A twin, a broker and gateways as processes of their own, which may be killed and started again."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import yaml

import twinlab as tl
from tests.flow.numbered_gateway import numbered
from tests.mosquitto import Authority, Mosquitto
from twinlab.ledger import Ledger

__all__ = ["Site"]

ROOT = Path(__file__).parents[2]
MODEL = """
twin: site
origin: 2026-01-01
asset_types:
  truck:
    signals:
      temperature: {unit: degC, resolution: 0.01, cadence: 1min}
"""
FEED = {
    "source": "trucks",
    "stream": {
        "tags": {
            "/^(?P<id>[^/]+)[/]t(?P<n>\\d+)$/": {"signal": "temperature", "asset": "truck/{id}-{n}", "unit": "degC"}
        }
    },
}


@dataclass
class Site:
    """Everything in one folder; use `start`, `kill` and `stop` with ``broker``, ``historian`` or a gateway's name."""

    program: Path
    folder: Path
    names: tuple[str, ...]
    step: int
    """Rows that a gateway writes at once."""
    rate: float
    """Rows a second of each gateway."""
    tags: int = 1
    """Tags of each gateway."""
    skew: dict[str, float] = field(default_factory=dict)
    """Seconds by which the clock of a gateway is ahead."""
    now: bool = False
    """Whether a row's time is the instant at which it was made; otherwise it follows from its sequence."""
    historian: tuple[str, ...] = ()
    """Arguments of Python that run the historian; by default ``twinlab run``."""
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    _rows_before: int = 0

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.broker = Mosquitto(self.program, self.folder / "broker", Authority(self.folder / "certificates"))
        live = {"kind": "mqtt", **self.broker.settings("historian")}
        (self.folder / "twin.yaml").write_text(MODEL)
        (self.folder / "trucks.yaml").write_text(yaml.safe_dump({**FEED, "live": live}))
        self.twin = self.folder / "twin"
        tl.create(self.twin, model=self.folder / "twin.yaml", mappings=self.folder / "trucks.yaml")
        for name in self.names:
            settings = {"name": name, "broker": self.broker.settings(name), "outbox": f"{name}.db", "patience": "1s"}
            (self.folder / f"{name}.yaml").write_text(yaml.safe_dump(settings))

    def start(self, name: str) -> None:
        if name == "broker":
            self.broker.start()
            return
        command = list(self.historian or ("-m", "twinlab.cli", "run", str(self.twin)))
        if name != "historian":
            how = (
                str(self.step),
                str(self.rate),
                str(self.tags),
                str(self.skew.get(name, 0)),
                *(("now",) if self.now else ()),
            )
            command = [str(ROOT / "tests/flow/numbered_gateway.py"), str(self.folder / f"{name}.yaml"), *how]
        with (self.folder / f"{name}.log").open("ab") as log:
            self.processes[name] = subprocess.Popen(
                [sys.executable, *command], stdout=log, stderr=log, env={**os.environ, "PYTHONPATH": str(ROOT)}
            )

        if name == "historian":
            self._rows_before = self.rows()

    def rows(self) -> int:
        """Number of durable rows in the ledger."""
        return Ledger(self.twin / "ledger").reader("trucks").position()

    def storing(self) -> bool:
        """Whether the historian has stored rows since it was started: a kill before that would test its start only."""
        return self.rows() > self._rows_before

    def kill(self, name: str) -> None:
        if name == "broker":
            self.broker.kill()
            return
        self.processes[name].send_signal(signal.SIGKILL)
        self.processes[name].wait()

    def finish(self, seconds: float) -> None:
        """Let the gateways make no more rows, and wait until all are acknowledged."""
        (self.folder / "enough").touch()
        until = time.monotonic() + seconds
        for name in self.names:
            code = self.processes[name].wait(max(1.0, until - time.monotonic()))
            assert code == 0, (self.folder / f"{name}.log").read_text()[-2_000:]

    def made(self, name: str) -> int:
        """Number of rows that a gateway has made."""
        with closing(sqlite3.connect(self.folder / f"{name}.db")) as outbox:
            return int(outbox.execute("select number from state where name = 'last'").fetchone()[0])

    def stop(self) -> None:
        for process in self.processes.values():
            if process.poll() is None:
                process.terminate()
        for process in self.processes.values():
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self.broker.stop()

    def faults(self) -> dict[str, dict[str, int]]:
        """Compare the ledger with what the gateways made: of each, how many rows are lost, twice, or wrong."""
        rows: dict[str, list[tuple[np.ndarray, ...]]] = {name: [] for name in self.names}
        for frame in Ledger(self.twin / "ledger").reader("trucks").frames():
            batch = frame.batch(columns=("tag", "source_time", "sequence", "value"))
            gateways = np.array([tag.partition("/")[0] for tag in batch.column("tag").dictionary.to_pylist()])
            of_row = gateways[batch.column("tag").indices.to_numpy()]
            columns = [batch.column(name).to_numpy() for name in ("sequence", "source_time", "value")]
            for name in self.names:
                mask = of_row == name
                rows[name].append(tuple(column[mask] for column in columns))
        found = {}
        for name, parts in rows.items():
            sequences, times, values = (np.concatenate(columns) for columns in zip(*parts, strict=True))
            made, known = self.made(name), np.unique(sequences)
            expected = numbered(1, int(known[-1]))
            wrong = values != expected.values[sequences - 1]
            if not self.now:
                wrong |= times != expected.times[sequences - 1]
            found[name] = {
                "lost": made - int((known <= made).sum()),
                "twice": len(sequences) - len(known),
                "wrong": int(wrong.sum() + (known > made).sum()),
            }
        return found

    def errors(self) -> list[str]:
        """Return the lines of level error in the historian's log; those of libraries about lost connections don't count."""
        lines = (self.folder / "historian.log").read_text().splitlines()
        found = [json.loads(line) for line in lines if line.startswith("{")]
        grave = [one for one in found if one["level"] in {"error", "critical"} and one["logger"].startswith("twinlab")]
        return [json.dumps(one) for one in grave]
