"""A process that is killed at any point of remap, promote or rollback leaves the old or the new history."""

import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest


def killed(folder: Path, kills: int, seed: int, timeout: float) -> str:
    script = Path(__file__).with_name("kill_revisions.py")
    done = subprocess.run(
        [sys.executable, str(script), str(folder), str(kills), str(seed)],
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.skipif(sys.platform == "win32", reason="needs fork and SIGKILL")
def test_three_kills_leave_the_old_or_the_new_history():
    with TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as folder:
        assert killed(Path(folder), 3, 1, 300).startswith("kills 3")


@pytest.mark.soak
def test_a_hundred_kills_leave_the_old_or_the_new_history(tmp_path):
    for seed in range(5):
        folder = tmp_path / str(seed)
        folder.mkdir()
        assert killed(folder, 20, seed, 1800).startswith("kills 20")
