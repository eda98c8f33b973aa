"""Kernels are compiled at their first call, each once, whatever thread calls first."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from twinlab._compiled import njit, stored


@njit(inline="always")
def _half(number):
    return number / 2


@njit(nogil=True)
def _quarter(number):
    return _half(_half(number))


def test_a_kernel_calls_others_and_has_its_own_name() -> None:
    assert _quarter.__name__ == "_quarter"
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(_quarter, range(8))) == [n / 4 for n in range(8)]


def test_a_kernel_that_isnt_kept_on_disk_says_so() -> None:
    assert stored(_quarter) is None


def test_a_module_with_kernels_is_imported_without_numba() -> None:
    code = "import sys, twinlab.quality.kernels, twinlab.history.layout.rollup; sys.exit('numba' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=120).returncode == 0


def test_a_stored_kernel_is_compiled_anew_when_the_file_of_a_kernel_that_it_calls_changes(tmp_path: Path) -> None:
    (tmp_path / "inner.py").write_text(
        "from twinlab._compiled import njit\n\n@njit(cache=True)\ndef inner():\n    return 1\n"
    )
    (tmp_path / "outer.py").write_text(
        "from inner import inner\nfrom twinlab._compiled import njit\n\n@njit(cache=True)\ndef outer():\n    return inner()\n"
    )

    def result() -> str:
        code = "import outer; from twinlab._compiled import stored; known = stored(outer.outer)[1]; print(outer.outer(), known, stored(outer.outer)[1])"
        environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent)}
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path, env=environment
        )
        return done.stdout.strip()

    assert [result(), result()] == ["1 False True", "1 True True"]
    inner = tmp_path / "inner.py"
    inner.write_text(inner.read_text().replace("return 1", "return 22"))
    assert result() == "22 False True"
