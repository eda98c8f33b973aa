"""The loop is compiled by one process at a time, and says so while others wait."""

import threading

import pytest

from tests.simulate.kernel.networks import HOUR, START, queue
from twinlab import simulate
from twinlab._locks import Lock
from twinlab.simulate.kernel import compiling


@pytest.fixture
def unused(monkeypatch, tmp_path):
    """A process that hasn't run the loop, beside a folder without its code."""
    monkeypatch.setattr(compiling, "_READY", set())
    monkeypatch.setattr(compiling, "stored", lambda _: (tmp_path, False))
    return tmp_path


def run_an_hour():
    model = queue()
    model.advance(model.initial_state(start=START), until=START + HOUR, step=HOUR)


def test_the_first_use_says_that_it_compiles(unused, monkeypatch, capsys):
    monkeypatch.setenv("TQDM_DISABLE", "0")
    run_an_hour()
    run_an_hour()
    assert capsys.readouterr().err.count("compiling the simulation, once for this installation") == 1


def test_nothing_is_said_where_bars_are_switched_off(unused, monkeypatch, capsys):
    monkeypatch.setenv("TQDM_DISABLE", "1")
    run_an_hour()
    assert capsys.readouterr().err == ""


def test_it_waits_while_another_compiles(unused):
    held = Lock(unused / "run.lock", what="the compiler")
    waiting = threading.Thread(target=run_an_hour)
    waiting.start()
    waiting.join(0.5)
    assert waiting.is_alive()
    held.release()
    waiting.join(60)
    assert not waiting.is_alive()


def test_simulations_are_compiled_ahead():
    assert 0 <= simulate.warm() < 600
