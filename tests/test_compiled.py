"""Kernels are compiled at their first call, each once, whatever thread calls first."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

from twinlab._compiled import njit


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


def test_a_module_with_kernels_is_imported_without_numba() -> None:
    code = "import sys, twinlab.quality.kernels, twinlab.history.layout.rollup; sys.exit('numba' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=120).returncode == 0
