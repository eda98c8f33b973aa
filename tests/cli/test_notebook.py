"""`twinlab notebook` and `twinlab tutorials`: notebooks that run as they stand, and nothing of the reader's is lost."""

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

import twinlab as tl
from twinlab.cli import main
from twinlab.twin.tutorials import tutorial_files

FRIDGE = "time;room;temperature (degF)\n" + "".join(
    f"2026-03-01 {hour:02d}:{minute:02d};R1;{38 + minute % 3},5\n" for hour in range(8) for minute in range(0, 60, 5)
)


@pytest.fixture(scope="module")
def pilot(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("desk")
    file = folder / "fridges.csv"
    file.write_text(FRIDGE)
    twin = tl.create(folder / "pilot", files=[file])
    twin.ingest(file)
    twin.close()
    return folder / "pilot"


def run_cells(notebook: Path) -> dict[str, object]:
    """Run a notebook's code as a fresh kernel would, without the pictures."""
    space: dict[str, object] = {}
    for cell in json.loads(notebook.read_text())["cells"]:
        if cell["cell_type"] == "code":
            exec(compile("".join(cell["source"]), "cell", "exec"), space)
    return space


def test_a_starter_notebook_runs_as_it_stands(pilot: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["notebook", str(pilot), "--no-lab"]) == 0
    written = Path(capsys.readouterr().out.split("wrote ")[1].strip())
    assert written.parent == pilot.parent
    space = run_cells(written)
    assert space["data"].sizes["time"] > 0
    assert "twin.history" in capsys.readouterr().out


def test_a_starter_notebook_never_overwrites(pilot: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "mine.ipynb"
    target.write_text("precious")
    assert main(["notebook", str(pilot), "--no-lab", "--to", str(target)]) == 0
    assert target.read_text() == "precious"
    assert (tmp_path / "mine-2.ipynb").is_file()
    (tmp_path / "blocked").write_text("")
    assert main(["notebook", str(pilot), "--no-lab", "--to", str(tmp_path / "blocked" / "x.ipynb")]) == 1
    assert "name another place with --to" in capsys.readouterr().err


def test_the_tutorials_are_copied_and_changed_ones_kept(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    names = [path.name for path in tutorial_files()]
    assert names[0] == "00_start_here.ipynb"
    assert main(["tutorials", str(tmp_path / "learn")]) == 0
    assert sorted(path.name for path in (tmp_path / "learn").iterdir()) == names
    changed = tmp_path / "learn" / names[0]
    changed.write_text("mine")
    capsys.readouterr()
    assert main(["tutorials", str(tmp_path / "learn")]) == 0
    assert f"kept {changed}" in capsys.readouterr().out
    assert changed.read_text() == "mine"
    assert main(["tutorials", str(tmp_path / "learn"), "--overwrite"]) == 0
    assert changed.read_text() != "mine"


def test_jupyterlab_opens_on_the_notebook(pilot: Path, tmp_path: Path, need) -> None:
    need("jupyterlab")
    command = [sys.executable, "-m", "twinlab.cli", "notebook", str(pilot), "--to", str(tmp_path), "--no-browser"]
    # A desk of its own; a session of its own, so that JupyterLab can be stopped with its parent.
    places = {name: str(tmp_path / name) for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR")}
    process = subprocess.Popen(
        command, env={**os.environ, **places}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        start_new_session=True,
    )  # fmt: skip
    # Whatever happens, the reading below ends.
    end = threading.Timer(120, os.killpg, (process.pid, signal.SIGKILL))
    end.start()
    try:
        assert process.stdout is not None
        said = ""
        for line in process.stdout:
            said += line
            if re.search(r"http://127\.0\.0\.1:\d+/lab/tree/.*\.ipynb", line):
                break
        else:
            pytest.fail(said)
    finally:
        end.cancel()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        assert process.stdout is not None
        process.stdout.close()
