"""The loop is compiled once for an installation, by one process while the others wait, and loaded from the disk after that."""

from __future__ import annotations

import os
import sys
import threading
import time
from contextlib import nullcontext
from typing import Any

from twinlab._compiled import compiled_kernel, stored
from twinlab._locks import Lock
from twinlab.simulate.kernel.loops.cells import begin_cells
from twinlab.simulate.kernel.loops.run import run
from twinlab.simulate.kernel.records import Out, Plan, State

__all__ = ["compiled_for"]

_ONE_THREAD = threading.Lock()
_READY: set[str] = set()


def compiled_for(state: State, plan: Plan, out: Out) -> None:
    """Compile or load the loop at its first use in this process.

    Without it, processes that start together, such as workers or tests, would each compile for as long as one does. If it has to
    be compiled, a line on the standard error says so, unless the environment variable ``TQDM_DISABLE`` is set.
    """
    if _READY:
        return
    import numba  # noqa: PLC0415  (the kernel may be imported without)

    with _ONE_THREAD:
        if _READY:
            return
        kept = stored(run)
        with nullcontext() if kept is None else Lock(kept[0] / "run.lock", what="the compiler", wait=None):
            # Another process may have compiled it meanwhile.
            kept = stored(run)
            known = kept is not None and kept[1]
            shown = not known and os.environ.get("TQDM_DISABLE", "0") in {"", "0"}
            if shown:
                sys.stderr.write("compiling the simulation, once for this installation (about 40 s)\n")
                sys.stderr.flush()
            began = time.perf_counter()
            # Numba has types for some of its functions only.
            typeof: Any = numba.typeof
            kinds = *(typeof(one) for one in (state, plan, out)), numba.float64
            for kernel in (begin_cells, run):
                compiled_kernel(kernel).compile(kinds)
            if shown:
                sys.stderr.write(f"compiled in {time.perf_counter() - began:.0f} s\n")
        _READY.add("run")
