"""What tests of this room share: a twin of one cold room, a shell, a JupyterLab if they ask for it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import twinlab as tl
from tests.jupyter_lab import desk, lab, write_notebook

__all__ = ["desk", "lab", "write_notebook"]

#: Between 3 and 5 °C but for an hour at 9 °C.
ROWS = "time;room;temperature (degC);humidity (%)\n" + "".join(
    f"2026-03-01 {hour:02d}:{minute:02d};R1;{9 if hour == 5 else 3 + minute % 3},5;{40 + hour}\n"
    for hour in range(8)
    for minute in range(0, 60, 5)
)


@pytest.fixture(scope="session")
def pilot_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a twin in a folder that has nothing else."""
    folder = tmp_path_factory.mktemp("jupyter") / "root"
    folder.mkdir()
    file = folder / "fridges.csv"
    file.write_text(ROWS, encoding="utf-8")
    twin = tl.create(folder / "pilot", files=[file])
    twin.ingest(file)
    twin.close()
    file.unlink()
    return folder / "pilot"


@pytest.fixture
def shell(need) -> Iterator[Any]:
    """An IPython with the magics."""
    need("IPython")
    from IPython.core.interactiveshell import InteractiveShell

    made = InteractiveShell()
    made.run_line_magic("load_ext", "twinlab")
    yield made
    for value in list(made.user_ns.values()):
        if isinstance(value, tl.Twin):
            value.close()
    made.history_manager.end_session()
