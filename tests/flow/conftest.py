"""The demo twin of New York, built once per session in the session's cache."""

import pytest

import twinlab as tl


@pytest.fixture(scope="session")
def nyc() -> tl.Twin:
    return tl.demo("nyc")
