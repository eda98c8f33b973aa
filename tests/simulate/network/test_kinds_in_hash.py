"""The kind of a distribution is part of what a network states."""

import pytest

from twinlab.simulate import Network

KINDS = [
    "4 min",
    {"kind": "exponential", "mean": "4 min"},
    {"kind": "gamma", "mean": "4 min", "cv": 0.5},
    {"kind": "lognormal", "mean": "4 min", "cv": 0.5},
    {"kind": "uniform", "low": "2 min", "high": "6 min"},
]


def bank(service):
    node = {"type": "counter", "servers": 2, "service": service}
    return Network(name="bank", nodes={"desk": node}, demand={"customers": {"at": "desk", "rate": "25 /h"}})


def test_networks_with_other_kinds_of_distributions_have_other_hashes():
    assert len({bank(service).content_hash() for service in KINDS}) == len(KINDS)


@pytest.mark.parametrize("service", KINDS)
def test_a_network_is_read_back_from_what_it_states(service):
    network = bank(service)
    again = Network.model_validate(network.model_dump(mode="json", by_alias=True, exclude_defaults=True))
    assert again == network
    assert again.content_hash() == network.content_hash()
