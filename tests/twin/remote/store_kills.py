"""Writers and historians of one twin in a store, as processes that are killed, frozen and cut off: nothing is lost, repeated or wrong.

By itself: ``python tests/twin/remote/store_kills.py ROWS KILLS CUTS`` prints what was measured.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2] / "objects"))
from s3_server import ENVIRONMENT, Proxy, make_bucket, proxy, s3_server

import twinlab as tl

START = np.datetime64("2026-01-01", "ns")
MODEL = """
twin: kills
origin: 2026-01-01
asset_types:
  room:
    signals:
      temperature: {unit: degC, resolution: 0.1, cadence: 10s}
"""
MAPPING = r"""
source: NAME
stream:
  tags:
    '/^NAME/(?P<id>\d)/t$/': {signal: temperature, asset: 'room/NAME{id}', unit: degC}
"""
SOURCES = ("a", "b", "c")


@dataclass
class Result:
    """What became of all rows."""

    rows: int = 0
    lost: int = 0
    repeated: int = 0
    wrong: int = 0
    kills: int = 0
    freezes: int = 0
    cuts: int = 0
    writer_takeovers: list[float] = field(default_factory=list)
    """Seconds from a kill or freeze to the first acknowledgement of the standby."""
    historian_takeovers: list[float] = field(default_factory=list)
    """Seconds from a kill of the historian to the next one's lease."""
    ended: int = 0
    """Historians that ended by themselves, and were started again as a service manager does."""
    seconds: float = 0.0

    def __str__(self) -> str:
        w, h = self.writer_takeovers or [0.0], self.historian_takeovers or [0.0]
        return (
            f"{self.rows:,} rows, {self.kills} kills, {self.freezes} freezes, {self.cuts} cuts: {self.lost} lost, {self.repeated} repeated, "
            f"{self.wrong} wrong; takeover of a writer {np.median(w):.1f} s, at most {max(w):.1f} s; of the historian {np.median(h):.1f} s, "
            f"at most {max(h):.1f} s; {self.ended} ended by themselves ({self.seconds:.0f} s)"
        )


class Cuts:
    """Faults of some requests of all proxies, until there were enough."""

    def __init__(self, most: int, *, share: float) -> None:
        self.left, self.done, self._share = most, 0, share
        self._random, self._lock = random.Random(1), threading.Lock()

    def __call__(self, request: str) -> str:
        with self._lock:
            # What may be uncertain is written: groups, leases and the head.
            written = request.startswith("PUT") and any(
                text in request for text in ("/groups/", "lease", "twin.json", "historian")
            )
            if not self.left or not written or self._random.random() > self._share:
                return ""
            self.left -= 1
            self.done += 1
            return self._random.choice(("cut", "no answer", "twice"))


class Line:
    """The processes that write one source: one, and a standby that waits until it is its turn."""

    def __init__(self, url: str, endpoint: str, source: str, rows: int, size: int, cache: Path) -> None:
        self._arguments = [url, source, str(rows), str(size)]
        self._environment = environment(endpoint, cache)
        self.source, self.rows = source, rows
        self.acknowledged = 0
        self.writing: subprocess.Popen[str] | None = None
        """The process that acknowledged last."""
        self.stopped: float | None = None
        """When the process that wrote was killed or frozen, if no other one has acknowledged since."""
        self.takeovers: list[float] = []
        self.ready: set[subprocess.Popen[str]] = set()
        self.processes: list[subprocess.Popen[str]] = []
        self.start()
        self.start()

    def start(self) -> None:
        """Start a process."""
        script = Path(__file__).with_name("store_writer.py")
        process = subprocess.Popen(
            [sys.executable, str(script), *self._arguments], env=self._environment, stdout=subprocess.PIPE, text=True,
            stderr=subprocess.DEVNULL,
        )  # fmt: skip
        self.processes.append(process)
        threading.Thread(target=self._read, args=(process,), daemon=True).start()

    def stop(self, number: int) -> None:
        """Send a signal to the process that writes, and start another standby."""
        assert self.writing is not None
        self.writing.send_signal(number)
        self.stopped, self.writing = time.time(), None
        self.start()

    def has_standby(self) -> bool:
        """Whether a process waits until it is its turn."""
        return any(one is not self.writing and one in self.ready and one.poll() is None for one in self.processes)

    def ended(self) -> bool:
        """Whether all rows are written."""
        return any(one.poll() == 0 for one in self.processes)

    def _read(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        for line in process.stdout:
            if line == "ready\n":
                self.ready.add(process)
                continue
            position, at = line.split()
            self.acknowledged = max(self.acknowledged, int(position))
            if self.stopped is None:
                self.writing = process
            elif float(at) > self.stopped:
                self.takeovers.append(float(at) - self.stopped)
                self.writing, self.stopped = process, None


def environment(endpoint: str, cache: Path) -> dict[str, str]:
    """Return the environment of a machine."""
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith("AWS_")}, **ENVIRONMENT,
        "AWS_ENDPOINT_URL": endpoint, "TWINLAB_CACHE": str(cache), "PYTHONDONTWRITEBYTECODE": "",
    }  # fmt: skip


def first_push(folder: Path, url: str) -> None:
    """Put a twin with three sources in the store; each needs a row."""
    from store_writer import batch

    (folder / "twin.yaml").write_text(MODEL)
    (folder / "mapping").mkdir()
    for name in SOURCES:
        (folder / "mapping" / f"{name}.yaml").write_text(MAPPING.replace("NAME", name))
    twin = tl.create(folder / "twin", model=folder / "twin.yaml", mappings=folder / "mapping")
    for name in SOURCES:
        with twin.writer(name) as writer:
            writer.append(batch(name, 0, 1), offsets={"line": 1})
    twin.push(url)


def run(
    folder: Path, server: str, *, rows: int, kills: int, cuts: int, size: int = 500, url: str = "s3://plant/kills"
) -> Result:
    """Write rows while processes are killed and requests cut; return what became of all rows."""
    began, result, chance = time.monotonic(), Result(), random.Random(0)
    faults = Cuts(cuts, share=min(0.2, 3 * cuts * size / rows))
    with ExitStack() as entered:
        network: list[Proxy] = [entered.enter_context(proxy(server, fault=faults)) for _ in range(5)]
        each = rows // len(SOURCES)
        historians = [start_historian(url, one.url, folder / f"cache-h{n}") for n, one in enumerate(network[3:])]
        lines = [
            Line(url, one.url, name, each, size, folder / f"cache-{name}")
            for name, one in zip(SOURCES, network, strict=False)
        ]
        # After a failure, too: processes that are left would continue.
        entered.callback(
            lambda: [one.kill() for one in (*historians, *(each for line in lines for each in line.processes))]
        )
        # Each source's processes are killed at stages of its progress, the historian as often in between.
        stages = {line.source: sorted(chance.sample(range(size, each - size), max(1, kills // 4))) for line in lines}
        deadline = time.monotonic() + 60 + rows / 500 + 25 * kills
        killed_historians, frozen = 0, list[subprocess.Popen[str]]()
        next_kill = time.monotonic() + 4
        while not all(line.ended() for line in lines):
            assert time.monotonic() < deadline, f"too slow: {[line.acknowledged for line in lines]}"
            for line in lines:
                due = stages[line.source] and line.acknowledged >= stages[line.source][0]
                if due and line.writing is not None and line.writing.poll() is None and line.has_standby():
                    stages[line.source].pop(0)
                    if chance.random() < 0.15:
                        frozen.append(line.writing)
                        line.stop(signal.SIGSTOP)
                        result.freezes += 1
                    else:
                        line.stop(signal.SIGKILL)
                        result.kills += 1
            for old in [one for one in frozen if chance.random() < 0.005]:
                # It wakes, and must not acknowledge anything that the next process doesn't have.
                old.send_signal(signal.SIGCONT)
                frozen.remove(old)
                threading.Timer(1.0, old.kill).start()
            start_again(historians, [one.url for one in network[3:]], url, folder, result)
            may_kill = killed_historians < kills - 3 * max(1, kills // 4) and time.monotonic() >= next_kill
            # A historian that has just been started isn't a standby yet: it imports, and opens a working copy.
            if may_kill and all(asked_for_lease(one) for one in network[3:]):
                for one in network[3:]:
                    one.requests.clear()
                kill_historian(url, server, historians, [one.url for one in network[3:]], folder, result)
                killed_historians += 1
                next_kill = time.monotonic() + 2 + 6 * chance.random()
            time.sleep(0.05)
        for line in lines:
            result.writer_takeovers += line.takeovers
            for process in line.processes:
                process.kill()
        for one in historians:
            one.terminate()
            one.wait()
        result.cuts = faults.done
        for line in logs(folder).splitlines():
            if "Traceback" in line or "has taken over" in line:
                sys.stderr.write(f"{line}\n")
        faults.left = 0
        compare(url, server, folder / "cache-end", lines, each, result)
    result.seconds = time.monotonic() - began
    return result


def start_historian(url: str, endpoint: str, cache: Path) -> subprocess.Popen[bytes]:
    """Start a historian that waits until it is its turn."""
    return subprocess.Popen(
        [sys.executable, "-m", "twinlab.cli", "run", url, "--standby", "--lease", "5s"],
        env=environment(endpoint, cache), stdout=subprocess.DEVNULL, stderr=(cache.parent / f"{cache.name}.log").open("ab"),
    )  # fmt: skip


def asked_for_lease(one: Proxy) -> bool:
    """Whether the historian behind a proxy has read or renewed the lease since the last kill."""
    return any("historian.json" in request for request in one.requests[-2000:])


def start_again(
    historians: list[subprocess.Popen[bytes]], endpoints: list[str], url: str, folder: Path, result: Result
) -> None:
    """Start historians again that have ended, as a service manager does: one that has lost its lease says so and ends."""
    for number, one in enumerate(historians):
        if one.poll() is not None:
            result.ended += 1
            historians[number] = start_historian(url, endpoints[number], folder / f"cache-h{number}")


def logs(folder: Path) -> str:
    """Return the last lines of the historians' logs."""
    return "\n".join(f"{path.name}: {path.read_text()[-2000:]}" for path in sorted(folder.glob("cache-h*.log")))


def kill_historian(
    url: str, server: str, historians: list[subprocess.Popen[bytes]], endpoints: list[str], folder: Path, result: Result
) -> None:
    """Kill the historian that has the lease, and start another standby."""
    before = historian_of(url, server)
    if before is None:
        return
    number = next((n for n, one in enumerate(historians) if f"process {one.pid} " in before.holder), None)
    if number is None or before.released:
        return
    at = time.monotonic()
    historians[number].kill()
    historians[number].wait()
    result.kills += 1
    historians[number] = start_historian(url, endpoints[number], folder / f"cache-h{number}")
    while (now := historian_of(url, server)) is None or now.epoch == before.epoch:
        start_again(historians, endpoints, url, folder, result)
        assert time.monotonic() < at + 60, f"no historian took over:\n{logs(folder)}"
        time.sleep(0.1)
    result.historian_takeovers.append(time.monotonic() - at)


def historian_of(url: str, server: str):
    """Return the lease of the historian."""
    from twinlab.objects.address import Address
    from twinlab.objects.bucket import Bucket
    from twinlab.objects.lease import read_lease

    return read_lease(Bucket(Address.parse(url, endpoint=server)), "historian.json")[0]


def compare(url: str, server: str, cache: Path, lines: list[Line], each: int, result: Result) -> None:
    """Read the twin on another machine, and compare it with what was written."""
    os.environ.update(environment(server, cache))
    tl.open(url).run(once=True)
    far = tl.open(url)
    assert far.verify().ok
    history = far.history("room").temperature.compute()
    for line in lines:
        numbers = [
            (np.asarray(frame.batch().column("source_time").to_numpy()) - START.astype(np.int64)) // 1_000_000_000
            for frame in far.ledger.reader(line.source).frames()
        ]
        found, times = np.unique(np.concatenate(numbers), return_counts=True)
        result.rows += int(times.sum())
        result.repeated += int((times - 1).sum())
        result.lost += each - len(found) + max(0, line.acknowledged - each)
        for digit in range(10):
            expected = (np.arange(digit, each, 10) % 1000) / 10
            values = history.sel(asset=f"{line.source}{digit}").to_numpy()[: len(expected)]
            result.wrong += len(expected) - int(np.isclose(values, expected).sum())


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent))
    with tempfile.TemporaryDirectory() as made, s3_server() as at:
        make_bucket(at, "plant")
        os.environ.update(environment(at, Path(made) / "cache"))
        first_push(Path(made), "s3://plant/kills")
        done = run(Path(made), at, rows=int(sys.argv[1]), kills=int(sys.argv[2]), cuts=int(sys.argv[3]))
        sys.stdout.write(f"{done}\n")
