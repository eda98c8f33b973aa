"""The report of a build."""

import pytest

from twinlab.history import BuildReport


def test_the_former_name_of_blocks_still_works_and_warns():
    with pytest.warns(DeprecationWarning, match="called blocks now"):
        assert BuildReport(blocks=3).slabs == 3
