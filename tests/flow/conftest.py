"""The demo twin, built once a session in the session's own cache."""

import pytest

import twinlab as tl


@pytest.fixture(scope="session")
def nyc() -> tl.Twin:
    return tl.demo("nyc")
