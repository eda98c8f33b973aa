"""A small twin in memory, and the end of its data."""

import pytest

from twinlab.testing import FakeTwin


@pytest.fixture(scope="session")
def example() -> FakeTwin:
    return FakeTwin.example(days=20, trips=200)
