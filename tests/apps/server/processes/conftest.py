"""`serve_folder` in a thread, and a small twin for it."""

import threading
import time

import pytest

import twinlab as tl
from twinlab.apps import serve_folder

#: Seconds that a busy machine may take to start a process.
PATIENCE = 120


class Background:
    """`serve_folder` in a thread."""

    def __init__(self, folder, **options):
        self.served, self.error, ready = None, None, threading.Event()

        def run():
            def note(served):
                self.served = served
                ready.set()

            try:
                serve_folder(folder, open_browser=False, ready=note, **options)
            except Exception as error:  # noqa: BLE001  (raised again in the test)
                self.error = error
            ready.set()

        self.thread = threading.Thread(target=run)
        self.thread.start()
        assert ready.wait(PATIENCE)
        if self.error is not None:
            raise self.error

    def all_run(self):
        """Wait until all workers answer; return their process identifiers."""
        ends = time.monotonic() + PATIENCE
        while time.monotonic() < ends:
            found = self.served.processes
            if None not in found:
                return found
            time.sleep(0.05)
        raise AssertionError("a worker doesn't come back")

    def stop(self):
        self.served.stop()
        self.thread.join(PATIENCE)
        assert not self.thread.is_alive()


@pytest.fixture(scope="session")
def in_background():
    return Background


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Folder of a twin with two samples."""
    made = tmp_path_factory.mktemp("twin")
    (made / "gauge.csv").write_text("time,level (m)\n2026-03-01T00:00Z,2.1\n2026-03-01T00:01Z,2.2\n")
    tl.create(made / "pilot", files=[made / "gauge.csv"]).ingest(made / "gauge.csv")
    return made / "pilot"
