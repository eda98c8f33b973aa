"""Checks and garbage collection that are off while serving are on again afterwards."""

import gc

import pytest
from bokeh.models import Range1d

from twinlab.apps.server.server_tuning import freeze_garbage_collector, without_developer_checks


def watch_with_the_wrong_signature():
    Range1d().on_change("start", lambda: None)


def test_signatures_are_checked_again_after_serving():
    with without_developer_checks():
        watch_with_the_wrong_signature()
    with pytest.raises(ValueError, match="signature"):
        watch_with_the_wrong_signature()


def test_frozen_objects_are_collected_again_after_serving():
    with without_developer_checks():
        freeze_garbage_collector()
        assert gc.get_freeze_count() > 10_000
    assert gc.get_freeze_count() == 0
