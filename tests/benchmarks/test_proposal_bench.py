# ruff: noqa: T201  (figures are printed)
"""How many planted situations are judged rightly, and how long it takes from a proposal to the acknowledgement, and to stop.

Run with ``pytest -m benchmark -n0 -s tests/benchmarks/test_proposal_bench.py``. The device is a real guard in this process, so that
the carrier isn't in the times.
"""

from __future__ import annotations

import statistics
import time
from collections import Counter
from pathlib import Path

import pytest

from tests.twin.commanding.conftest import Plant, make_template
from tests.twin.commanding.situations import Situations

pytestmark = pytest.mark.benchmark

COMMANDS = 12


def test_two_hundred_planted_situations(tmp_path: Path) -> None:
    planted = Situations(tmp_path, count=100, seed=11)
    refused: Counter[tuple[str, bool]] = Counter()
    known: Counter[tuple[str, bool]] = Counter()
    seconds = []
    for one in planted.all:
        began = time.perf_counter()
        proposal = planted.evaluate(one)
        seconds.append(time.perf_counter() - began)
        assert all(check.passed for check in proposal.checks), proposal.refused
        known[one.kind, one.unsafe] += 1
        refused[one.kind, one.unsafe] += bool(proposal.refused)
        if bool(proposal.refused) != one.unsafe:
            print(
                f"wrong: {one.kind}, {'unsafe' if one.unsafe else 'safe'}: {[(e.verdict, e.reason) for e in proposal.effects]}"
            )
    for unsafe in (True, False):
        total = sum(count for (_, was), count in known.items() if was == unsafe)
        found = sum(count for (_, was), count in refused.items() if was == unsafe)
        print(
            f"{'unsafe' if unsafe else 'safe'}: {found} of {total} refused",
            {kind: f"{refused[kind, was]}/{count}" for (kind, was), count in known.items() if was == unsafe},
        )
    print(f"a proposal: {statistics.median(seconds):.2f} s in the median, {max(seconds):.2f} s at most")


def test_propose_to_acknowledged_and_emergency_stop(tmp_path: Path) -> None:
    plant = Plant(tmp_path, make_template(tmp_path / "template"))
    who = plant.signers["Ann"]
    sent, stopped, used = [], [], []
    for number in range(COMMANDS):
        value = 6.0 if number % 2 else 7.0
        began, cpu = time.perf_counter(), time.process_time()
        plan = plant.twin.propose("forklift/F02", "max_speed", value, reason="benchmark")
        result = plan.approve(as_=who).send()
        sent.append(time.perf_counter() - began)
        used.append(time.process_time() - cpu)
        assert result.outcome == "done", result.reason
        began = time.perf_counter()
        assert plant.twin.emergency_stop("forklift/F03", as_=who).outcome == "done"
        stopped.append(time.perf_counter() - began)
        # The twin still has the report of before; the device is set back to it.
        plant.device.values["forklift/F02", "max_speed"] = 8.0
        time.sleep(0.3)
    print(
        f"propose to acknowledged, simulated twice: median {statistics.median(sent):.2f} s, at most {max(sent):.2f} s; {statistics.median(used):.2f} s of CPU in the median"
    )
    print(f"emergency stop: median {1000 * statistics.median(stopped):.1f} ms, at most {1000 * max(stopped):.1f} ms")
    plant.twin.control.close()
