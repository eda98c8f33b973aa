"""The first read of a process loads no more than it needs: what it takes is mostly imports."""

import json
import subprocess
import sys
from pathlib import Path

import twinlab as tl

#: Libraries that a read of published cells doesn't need, and modules of twinlab.
NOT_NEEDED = ("numba", "pint", "panel", "openpyxl", "twinlab.history.write", "twinlab.control")
READ = """
import json, sys, twinlab as tl
data = tl.open(sys.argv[1]).history("gauge").isel(time=slice(-2, None)).load()
print(json.dumps([data.level.values.tolist(), list(sys.modules)]))
"""


def test_a_first_read_loads_neither_numba_nor_a_writer(tmp_path: Path) -> None:
    file = tmp_path / "gauge.csv"
    file.write_text("time,level (m)\n" + "".join(f"2026-03-01T00:{n:02}Z,{n / 10}\n" for n in range(20)))
    twin = tl.create(tmp_path / "pilot", files=[file])
    twin.ingest(file)
    twin.compact()
    # A process of its own, since this one has loaded them.
    done = subprocess.run(
        [sys.executable, "-c", READ, str(twin.folder)], capture_output=True, text=True, check=True, timeout=120
    )
    values, loaded = json.loads(done.stdout)
    assert values == [[1.8], [1.9]]
    assert [name for name in NOT_NEEDED if name in loaded] == []
