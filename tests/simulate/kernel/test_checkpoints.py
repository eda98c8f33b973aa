"""A run that is stopped, saved, loaded and forked at any instant goes on bit for bit as the unbroken run does."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.simulate.kernel.networks import HOUR, START, parcels
from twinlab import simulate

END = START + 8 * HOUR
SECONDS = 8 * 3600


@pytest.fixture(scope="module")
def model():
    return parcels()


def broken(model, cuts: list[int], seed: int, replication: int, folder) -> object:
    """Advance in parts, each from a state on disk."""
    state = simulate.fork(model.initial_state(start=START, seed=seed), replication=replication)
    for cut in sorted(set(cuts)):
        done = model.advance(state, until=START + np.timedelta64(cut, "ms"), step=HOUR)
        simulate.save_state(done.state, folder / "state")
        state = simulate.load_state(folder / "state")
    return model.advance(state, until=END, step=HOUR).state


cuts = st.lists(st.integers(1, SECONDS * 1000 - 1), min_size=1, max_size=3)


@settings(max_examples=20, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cuts=cuts, seed=st.integers(0, 2**32 - 1), replication=st.integers(0, 2**32 - 1))
def test_a_run_broken_anywhere_is_bit_identical(model, tmp_path, cuts, seed, replication):
    start = model.initial_state(start=START, seed=seed, replication=replication)
    whole = model.advance(start, until=END, step=HOUR).state
    assert broken(model, cuts, seed, replication, tmp_path).identical(whole)


@pytest.mark.soak
def test_500_broken_runs_are_bit_identical_on_two_threads(model, tmp_path):
    random = np.random.default_rng(5)
    trials = [
        (random.integers(1, SECONDS * 1000, random.integers(1, 4)).tolist(), int(random.integers(2**32)), trial)
        for trial in range(500)
    ]

    def equal(trial) -> bool:
        cuts, seed, number = trial
        folder = tmp_path / str(number)
        folder.mkdir()
        start = model.initial_state(start=START, seed=seed, replication=number)
        return broken(model, cuts, seed, number, folder).identical(model.advance(start, until=END, step=HOUR).state)

    with ThreadPoolExecutor(2) as threads:
        assert sum(threads.map(equal, trials)) == 500


def test_another_process_goes_on_bit_for_bit(model, tmp_path):
    first = model.advance(model.initial_state(start=START, seed=2), until=START + 3 * HOUR, step=HOUR).state
    simulate.save_state(first, tmp_path / "first")
    code = (
        "import sys, numpy as np\n"
        "from twinlab import simulate\n"
        "from twinlab.simulate import Network, NetworkModel\n"
        "model = NetworkModel(Network.model_validate_json(open(sys.argv[1] + '/network.json').read()))\n"
        "state = simulate.load_state(sys.argv[1] + '/first')\n"
        f"done = model.advance(state, until=np.datetime64('{END}'), step=np.timedelta64(1, 'h'))\n"
        "simulate.save_state(done.state, sys.argv[1] + '/last')\n"
    )
    (tmp_path / "network.json").write_text(model.network.model_dump_json(by_alias=True), encoding="utf-8")
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=True, timeout=300)
    whole = model.advance(first, until=END, step=HOUR).state
    assert simulate.load_state(tmp_path / "last").identical(whole)
