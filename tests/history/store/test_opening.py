"""A history that is being made: others find none or a complete one, whenever they open it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from twinlab.errors import CorruptionError, HistoryConflictError
from twinlab.history.read.pinned import empty_view
from twinlab.history.store import publish
from twinlab.history.store.opening import create_history, open_history

PATIENCE = 30.0
ORIGIN = 86_400 * 10**9


@pytest.fixture
def paused(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str, Callable[[], object]], Callable[[], object]]]:
    """Return a function that runs another one in a thread until its first call of a function of `publish`; returns what lets it go on."""
    with ThreadPoolExecutor(1) as pool:

        def start(name: str, work: Callable[[], object]) -> Callable[[], object]:
            inner, reached, go_on = getattr(publish, name), threading.Event(), threading.Event()

            def wait(*args: object, **kwargs: object) -> object:
                if not reached.is_set():
                    reached.set()
                    assert go_on.wait(PATIENCE)
                return inner(*args, **kwargs)

            monkeypatch.setattr(publish, name, wait)
            running: Future[object] = pool.submit(work)
            assert reached.wait(PATIENCE)

            def end() -> object:
                go_on.set()
                return running.result(PATIENCE)

            return end

        yield start


Paused = Callable[[str, Callable[[], object]], Callable[[], object]]


@pytest.mark.parametrize("step", ["create", "start", "publish", "write_seal", "move"])
def test_nobody_opens_a_history_that_is_half_made(tmp_path: Path, paused: Paused, step: str) -> None:
    root = tmp_path / "history"
    end = paused(step, lambda: create_history(root, origin_ns=ORIGIN))
    with pytest.raises(CorruptionError, match="found none"):
        open_history(root)
    end()
    assert open_history(root).origin_ns == ORIGIN
    assert sorted(path.name for path in root.iterdir()) == ["icechunk", "seals"]


def test_of_two_that_make_a_history_one_wins(tmp_path: Path, paused: Paused) -> None:
    root = tmp_path / "history"
    end = paused("write_seal", lambda: create_history(root, origin_ns=ORIGIN))
    create_history(root, origin_ns=2 * ORIGIN)
    with pytest.raises(HistoryConflictError, match="there is one"):
        end()
    assert open_history(root).origin_ns == 2 * ORIGIN
    with pytest.raises(HistoryConflictError, match="there is one"):
        create_history(root)


@pytest.mark.parametrize("step", ["create", "publish", "write_seal"])
def test_two_readers_of_a_twin_without_a_history_share_an_empty_one(tmp_path: Path, paused: Paused, step: str) -> None:
    def view() -> int:
        return empty_view(tmp_path / "cache", ORIGIN, lambda: tmp_path / "other").origin_ns

    end = paused(step, view)
    assert view() == ORIGIN
    assert end() == ORIGIN
    assert not (tmp_path / "other").exists()


def test_a_damaged_empty_history_is_replaced_by_a_temporary_one(tmp_path: Path) -> None:
    made: Callable[[], Path] = lambda: tmp_path / "other"  # noqa: E731
    empty_view(tmp_path / "cache", ORIGIN, made)
    for seal in tmp_path.glob("cache/*/seals/*"):
        seal.write_bytes(b"")
    for _ in range(2):
        assert empty_view(tmp_path / "cache", ORIGIN, made).path.is_relative_to(tmp_path / "other")
