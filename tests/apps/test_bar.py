"""What the top bar says of the data's age."""

import numpy as np

from twinlab.apps.bar import freshness_html


def test_data_that_cannot_be_read_are_not_called_absent() -> None:
    assert "no data yet" in freshness_html(None)
    assert "t be read" in freshness_html(None, failed=True)


def test_a_time_that_could_not_be_read_again_is_marked_as_old() -> None:
    now = np.datetime64("now", "ns")
    assert "◷" not in freshness_html(now)
    assert "◷" in freshness_html(now, failed=True)
