"""Small networks, simulated once per session."""

import pytest

from twinlab.plant import Network, ParcelSize, PlantFiles, simulate_network, write_files


@pytest.fixture(scope="session")
def network() -> Network:
    return simulate_network(ParcelSize.small())


@pytest.fixture(scope="session")
def written(network: Network, tmp_path_factory: pytest.TempPathFactory) -> PlantFiles:
    return write_files(network, tmp_path_factory.mktemp("plant"))
