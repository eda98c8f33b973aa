"""A process that is killed while it applies retention, at any step, leaves the history as it was or as decided."""

from __future__ import annotations

import os
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.history.write.test_removal import cut_at, fill, read, same
from twinlab.history.store import publish
from twinlab.history.write import removal
from twinlab.history.write.removal import APPLIED
from twinlab.history.write.transaction import Transaction
from twinlab.ledger import Journal


def killed_at(step: int, work: Callable[[], object]) -> bool:
    """Do some work in a child that is killed before its step with a number; return whether it was."""
    child = os.fork()
    if child == 0:
        count = 0

        def counted(call: Callable[..., Any]) -> Callable[..., Any]:
            def run(*arguments: Any, **options: Any) -> Any:
                nonlocal count
                if count == step:
                    os.kill(os.getpid(), signal.SIGKILL)
                count += 1
                return call(*arguments, **options)

            return run

        for owner, name in (
            (Journal, "append"),
            (Transaction, "rewrite_cells"),
            (Transaction, "commit"),
            (publish, "publish"),
            (publish, "sync_filesystem"),
            (removal, "proof_of"),
        ):
            setattr(owner, name, counted(getattr(owner, name)))
        try:
            work()
        finally:
            os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL


@pytest.mark.skipif(sys.platform == "win32", reason="needs fork and SIGKILL")
def test_a_kill_at_each_step_leaves_the_old_or_the_decided_history(site: Any, make_site: Any) -> None:
    fill(site, days=4, rooms="a")
    site.historian().catch_up()
    before = read(site)
    plain = site.root / "plain"
    decided = _copy(site, plain, make_site)
    cut_at(decided, 2)
    after, days = read(decided), read(decided, step="1d")
    shutil.rmtree(plain)
    step, seen = 0, set()
    while True:
        one = _copy(site, plain, make_site)
        if not killed_at(step, lambda one=one: cut_at(one, 2)):
            break
        # Opened by others, the twin shows either state; the next publication completes the proof of a decided one.
        one = make_site(plain)
        is_cut = bool(read(one).attrs.get("removed_before"))
        same(read(one), after if is_cut else before)
        one.append([("a.t", 4 * 1440 + 5, 20.0), ("a.t", 17, 99.0)])
        one.historian().catch_up()
        proofs = list(one.ledger.journal.entries(APPLIED))
        assert len(proofs) == is_cut
        seen.add((is_cut, bool(proofs)))
        if not is_cut:
            shutil.rmtree(plain)
            step += 1
            continue
        same(read(one, step="1d").isel(time=slice(0, 2)), days.isel(time=slice(0, 2)))
        kept = read(one)
        one.historian().rebuild()
        same(read(one), kept)
        shutil.rmtree(plain)
        step += 1
    assert step >= 6
    assert seen == {(False, False), (True, True)}


def _copy(site: Any, target: Path, make_site: Any) -> Any:
    shutil.copytree(site.root, target, ignore=shutil.ignore_patterns("plain"))
    return make_site(target)
