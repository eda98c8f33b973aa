"""A twin in an object store on a Dask cluster: each machine reads the state that was opened through a cache of its own."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from s3_server import ENVIRONMENT, Proxy

import twinlab as tl
from twinlab.errors import ClusterError

Grow = Callable[[tl.Twin, int], None]


def set_environment(wanted: dict[str, str | None]) -> dict[str, str | None]:
    """Set environment variables, and return what they were; None is not set."""
    before = {name: os.environ.get(name) for name in wanted}
    for name, value in wanted.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value
    return before


@pytest.fixture
def far_cluster(cluster_client: Any, network: Proxy, tmp_path: Path) -> Iterator[Any]:
    """Yield a client whose workers have credentials and a cache of their own."""
    theirs = {**ENVIRONMENT, "AWS_ENDPOINT_URL": network.url, "TWINLAB_CACHE": str(tmp_path / "theirs")}
    before = cluster_client.run(set_environment, theirs)
    yield cluster_client
    cluster_client.run(set_environment, next(iter(before.values())))


def test_workers_read_the_push_that_was_opened_through_their_own_cache(
    twin: tl.Twin, network: Proxy, place: str, grow: Grow, far_cluster: Any, tmp_path: Path
) -> None:
    twin.push(place)
    far = tl.open(place)
    here = far.find("temperature > 5 degC", on="room")
    grow(twin, 1)
    twin.push(place)
    there = far.find("temperature > 5 degC", on="room", client=far_cluster)
    pd.testing.assert_frame_equal(there, here)
    assert len(tl.open(place).find("temperature > 5 degC", on="room", client=far_cluster)) > len(here)
    assert len(list((tmp_path / "theirs" / "objects" / "twins").glob("*/*"))) == 2
    assert list((tmp_path / "theirs" / "objects" / "parts").iterdir())


def test_workers_without_credentials_are_refused(twin: tl.Twin, network: Proxy, place: str, far_cluster: Any) -> None:
    twin.push(place)
    far_cluster.run(set_environment, dict.fromkeys(("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")))
    network.answer = None
    with pytest.raises(ClusterError, match=r"worker tcp://.* can't open the twin \(2 of 2 workers\)"):
        tl.open(place).find("temperature > 5 degC", on="room", client=far_cluster)
