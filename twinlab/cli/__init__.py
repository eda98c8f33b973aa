"""The command ``twinlab``, with a subcommand for each step. An error is one line unless ``--traceback`` is given.

In: arguments. Out: text and an exit code.
Read in order: `commands` (`main`, what all share, and the steps of a twin's life), `revisions` (try, compare, promote),
`alerts`, `run`, `why`, `fidelity`, `models`, `predict`, `objects` (push, pull), `assistant/` (ask, mcp), `scale/` (plan), `imagined/` (scenario, generate), `adopting/` (pilot, learn), `operating/` (backup, restore, health, catalogues), `security/` (keys, audit, privacy, reidentify), `edge`, `command_gateway`, `plant`, `warm`.
Never: a computation of its own; each subcommand calls the twin.
"""

from __future__ import annotations

from twinlab.cli import (  # noqa: F401  (each adds its subcommands)
    alerts,
    command_gateway,
    edge,
    fidelity,
    models,
    objects,
    plant,
    predict,
    revisions,
    run,
    warm,
    why,
)
from twinlab.cli.adopting import learn, pilot  # noqa: F401
from twinlab.cli.assistant import ask, mcp  # noqa: F401
from twinlab.cli.commands import main
from twinlab.cli.imagined import generate, scenario  # noqa: F401
from twinlab.cli.operating import backup, catalogues, health  # noqa: F401
from twinlab.cli.scale import plan  # noqa: F401
from twinlab.cli.security import audit, keys, privacy, reidentify  # noqa: F401

__all__ = ["main"]
