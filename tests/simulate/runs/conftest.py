"""The model of a queue, as a module that other processes can import, too."""

import sys
from pathlib import Path

import pytest

HERE = str(Path(__file__).parent)
if HERE not in sys.path:
    # Worker processes of a cluster get this process' path.
    sys.path.append(HERE)


@pytest.fixture
def queues():
    """Two scenarios of different size."""
    from queue_model import Queue

    return {"small": Queue(20.0, 3), "large": Queue(20.0, 4)}


@pytest.fixture
def log(tmp_path):
    """A file to which the model writes each replication that it computes."""
    return tmp_path / "computed.txt"
