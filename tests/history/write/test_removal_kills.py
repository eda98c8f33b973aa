"""A process that is killed while it applies retention, before any of its steps, leaves the history as it was or as decided."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.history.write.test_removal import cut_at, fill, read, same
from twinlab.history.write.removal import APPLIED

ROOT = Path(__file__).parents[3]


@pytest.mark.skipif(sys.platform == "win32", reason="needs fork and SIGKILL")
def test_a_kill_before_each_step_leaves_the_old_or_the_decided_history(site: Any, make_site: Any) -> None:
    source, left = site.root / "source", site.root / "left"
    first = make_site(source)
    fill(first, days=4, rooms="a")
    first.historian().catch_up()
    left.mkdir()
    subprocess.run(
        [sys.executable, str(Path(__file__).with_name("kill_removal.py")), str(source), str(left)],
        check=True,
        timeout=240,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    before = read(first)
    cut_at(first, 2)
    after, days = read(first), read(first, step="1d")
    *killed, done = sorted(left.iterdir(), key=lambda path: int(path.name))
    same(read(make_site(done)), after)
    assert len(killed) >= 6
    seen, rebuilt = [], False
    for folder in killed:
        # Opened by others, the twin shows either state; the next publication writes a proof that is lacking.
        one = make_site(folder)
        is_cut = "removed_before" in read(one).attrs
        same(read(one), after if is_cut else before)
        one.append([("a.t", 4 * 1440 + 5, 20.0), ("a.t", 17, 99.0)])
        one.historian().catch_up()
        assert len(list(one.ledger.journal.entries(APPLIED))) == is_cut
        if is_cut:
            same(read(one, step="1d").isel(time=slice(0, 2)), days.isel(time=slice(0, 2)))
        if is_cut and not rebuilt:
            kept, rebuilt = read(one), True
            one.historian().rebuild()
            same(read(one), kept)
        seen.append(is_cut)
        shutil.rmtree(folder)
    assert rebuilt
    assert seen == sorted(seen)
