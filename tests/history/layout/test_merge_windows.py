"""Windows merged into the bins of a heat map: what isn't known doesn't count, and an empty bin is empty."""

import numpy as np
import pytest

from twinlab.history.layout.fold_kernels import merge_windows

NAN = np.nan


@pytest.mark.parametrize(("how", "expected"), [(0, [[3.0, 5.0, NAN]]), (1, [[1.0, 5.0, NAN]]), (2, [[2.0, 5.0, NAN]])])
def test_unknown_windows_do_not_count(how, expected):
    out = np.full((1, 3), NAN)
    merge_windows(np.array([[1.0, 2.0, NAN, 5.0, NAN, NAN]]), np.array([0, 0, 1, 1, 2, 2]), how, out)
    np.testing.assert_array_equal(out, expected)


def test_counts_are_added():
    out = np.zeros((2, 2), "int32")
    merge_windows(np.array([[1, 2, 3], [0, 4, 5]]), np.array([0, 0, 1]), 0, out)
    assert out.tolist() == [[3, 3], [4, 5]]
