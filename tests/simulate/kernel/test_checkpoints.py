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


def broken(model, cuts: list[int], seed: int, replication: int, folder, *, end=END) -> object:
    """Advance in parts, each from a state on disk, or in memory if there is no folder."""
    state = simulate.fork(model.initial_state(start=START, seed=seed), replication=replication)
    for cut in sorted(set(cuts)):
        done = model.advance(state, until=START + np.timedelta64(cut, "ms"), step=HOUR)
        state = done.state
        if folder is not None:
            simulate.save_state(state, folder / "state")
            state = simulate.load_state(folder / "state")
    return model.advance(state, until=end, step=HOUR).state


cuts = st.lists(st.integers(1, SECONDS * 1000 - 1), min_size=1, max_size=3)


@settings(max_examples=8, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cuts=cuts, seed=st.integers(0, 2**32 - 1), replication=st.integers(0, 2**32 - 1))
def test_a_run_broken_anywhere_is_bit_identical(model, tmp_path, cuts, seed, replication):
    start = model.initial_state(start=START, seed=seed, replication=replication)
    whole = model.advance(start, until=END, step=HOUR).state
    assert broken(model, cuts, seed, replication, tmp_path).identical(whole)


@pytest.mark.soak
def test_500_broken_runs_are_bit_identical_whatever_threads_and_processes_continue_them(model, tmp_path):
    """Each run is stopped one to three times; a tenth of them go on in other processes, a fifteenth of the rest from files."""
    random = np.random.default_rng(5)
    hours = 3
    end = START + hours * HOUR
    trials = [(number, random.integers(1, hours * 3_600_000, random.integers(1, 4))) for number in range(500)]

    def first(number: int):
        return model.initial_state(start=START, seed=int(number * 7919), replication=number)

    def equal(trial) -> bool:
        number, cuts = trial
        # Files take nine tenths of the time of a trial.
        folder = tmp_path / str(number) if number % 15 == 0 else None
        found = broken(model, cuts.tolist(), number * 7919, number, folder, end=end)
        return found.identical(model.advance(first(number), until=end, step=HOUR).state)

    for threads, some in ((1, trials[:150]), (2, trials[150:300]), (4, trials[300:450])):
        with ThreadPoolExecutor(threads) as pool:
            assert sum(pool.map(equal, some)) == len(some)
    there = trials[450:]
    for number, cuts in there:
        cut = START + np.timedelta64(int(cuts[0]), "ms")
        simulate.save_state(model.advance(first(number), until=cut, step=HOUR).state, tmp_path / f"{number}_first")
    for some in (there[:25], there[25:]):
        go_on_elsewhere(model, tmp_path, [(f"{number}_first", f"{number}_last") for number, _ in some], end)
    for number, _ in there:
        whole = model.advance(first(number), until=end, step=HOUR).state
        assert simulate.load_state(tmp_path / f"{number}_last").identical(whole)


def go_on_elsewhere(model, folder, pairs, end) -> None:
    """Continue saved states in another process, on two threads, and save what they become."""
    code = (
        "import sys, numpy as np\n"
        "from concurrent.futures import ThreadPoolExecutor\n"
        "from twinlab import simulate\n"
        "from twinlab.simulate import Network, NetworkModel\n"
        "folder = sys.argv[1]\n"
        "model = NetworkModel(Network.model_validate_json(open(folder + '/network.json').read()))\n"
        "def go_on(pair):\n"
        "    state = simulate.load_state(folder + '/' + pair[0])\n"
        f"    done = model.advance(state, until=np.datetime64('{end}'), step=np.timedelta64(1, 'h'))\n"
        "    simulate.save_state(done.state, folder + '/' + pair[1])\n"
        "with ThreadPoolExecutor(2) as threads:\n"
        "    list(threads.map(go_on, [pair.split(',') for pair in sys.argv[2:]]))\n"
    )
    (folder / "network.json").write_text(model.network.model_dump_json(by_alias=True), encoding="utf-8")
    subprocess.run([sys.executable, "-c", code, str(folder), *map(",".join, pairs)], check=True, timeout=600)


def test_another_process_goes_on_bit_for_bit(model, tmp_path):
    first = model.advance(model.initial_state(start=START, seed=2), until=START + 3 * HOUR, step=HOUR).state
    simulate.save_state(first, tmp_path / "first")
    go_on_elsewhere(model, tmp_path, [("first", "last")], END)
    whole = model.advance(first, until=END, step=HOUR).state
    assert simulate.load_state(tmp_path / "last").identical(whole)


def test_a_state_of_an_earlier_version_goes_on(model):
    """It has no sum of when those that wait at a link joined, which is made from the entities."""
    state = model.advance(model.initial_state(start=START), until=START + 5 * HOUR, step=HOUR).state
    assert state["link_joined"].max() > 0
    found = model.advance(state.drop_vars("link_joined"), until=START + 6 * HOUR, step=HOUR).state
    expected = model.advance(state, until=START + 6 * HOUR, step=HOUR).state
    np.testing.assert_allclose(found["link_joined"], expected["link_joined"], rtol=1e-12)
    assert found.drop_vars("link_joined").identical(expected.drop_vars("link_joined"))
