"""Run ``twinlab predict`` again and again beside the historian, at low priority."""

from __future__ import annotations

import asyncio
import logging
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

    from twinlab.model.predictions.rule import PredictionRule

__all__ = ["predict_again", "seconds_between"]

_LOG = logging.getLogger("twinlab.live")
#: Seconds between the end of one round and the next one, at least and at most; what isn't due is left alone.
_EVERY: Final = (20.0, 300.0)
#: Seconds from the start of the historian to the first round, in which it publishes what has waited.
_FIRST: Final = 5.0
#: Characters of what a process says that are logged.
_MOST: Final = 2_000


def seconds_between(rules: Iterable[PredictionRule]) -> float:
    """Return the seconds between two rounds: a third of the shortest time between two predictions, so that none is much too late."""
    return min(max(min(rule.every_ns for rule in rules) / 3e9, _EVERY[0]), _EVERY[1])


async def predict_again(folder: Path, *, every: float, first: float = _FIRST) -> None:
    """Predict what is due, each so many seconds, until cancelled; the process that runs then is ended."""
    await asyncio.sleep(first)
    said = ""
    while True:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "twinlab.cli", "predict", str(folder), "--background",
            stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        try:
            output, _ = await process.communicate()
        finally:
            if process.returncode is None:
                # What it has stored is whole: each part is renamed into place.
                with suppress(ProcessLookupError):
                    process.kill()
                await process.wait()
        text = " ".join(output.decode(errors="replace").split())[-_MOST:]
        if process.returncode and text != said:
            _LOG.error("not predicted", extra={"error": text})
        elif text and not process.returncode:
            _LOG.info("predictions", extra={"did": text})
        said = text
        await asyncio.sleep(every)
