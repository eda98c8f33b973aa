"""A notebook beside a running historian: reads the newest values each second, until a file appears."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import twinlab as tl

LATEST = 3600


def main(folder: Path, stop: Path, result: Path) -> None:
    """Read until ``stop`` exists; write the number of reads, of errors, and the CPU seconds of a read."""
    twin = tl.open(folder)
    reads, errors, used = 0, [], []
    while not stop.exists():
        began, cpu = time.monotonic(), time.process_time()
        try:
            marks = twin.reader.watermarks()
            if marks:
                end = max(marks.values())
                found = twin.history("truck", start=end - LATEST, stop=end + 1).speed.compute()
                reads += found.size > 0
        except Exception as error:  # noqa: BLE001  # whatever fails is what is measured
            errors.append(repr(error))
        used.append(time.process_time() - cpu)
        time.sleep(max(0.0, began + 1.0 - time.monotonic()))
    result.write_text(json.dumps({"reads": reads, "errors": errors, "cpu": sum(used) / len(used) if used else 0.0}))


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
