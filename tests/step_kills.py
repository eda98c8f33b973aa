"""Kill a process before each of the steps that it goes through, one process after the other."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any


def _kill_before(steps: Sequence[tuple[Any, str]], number: int) -> None:
    """Let this process be killed before it calls one of the steps for the time with this number."""
    count = 0

    def counted(call: Callable[..., Any]) -> Callable[..., Any]:
        def run(*arguments: Any, **options: Any) -> Any:
            nonlocal count
            if count == number:
                os.kill(os.getpid(), signal.SIGKILL)
            count += 1
            return call(*arguments, **options)

        return run

    for owner, name in steps:
        setattr(owner, name, counted(getattr(owner, name)))


def kill_each_step(
    source: Path,
    target: Path,
    steps: Sequence[tuple[Any, str]],
    begin: Callable[[Path], Callable[[], object]],
    *,
    into: str = "",
) -> None:
    """Make ``target/0``, ``target/1``, … copies of a folder with what each child left, until one isn't killed.

    Only children may open what is in the folder: threads don't survive a fork.

    Parameters
    ----------
    source, target : Path
    steps : sequence of (owner, name)
        Functions and methods; each call of one is a step.
    begin : callable
        Called with the copy in the child, before steps are counted; returns what is called and killed.
    into : str
        Folder below ``target/0`` … that is the copy.
    """
    step = 0
    while True:
        folder = target / str(step)
        shutil.copytree(source, folder / into)
        child = os.fork()
        if child == 0:
            act = begin(folder)
            _kill_before(steps, step)
            act()
            os._exit(0)
        status = os.waitpid(child, 0)[1]
        if not os.WIFSIGNALED(status):
            raise SystemExit(os.waitstatus_to_exitcode(status))
        step += 1
