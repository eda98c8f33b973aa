"""What all tests share: a clean cache for the demo twins, Hypothesis' settings, and tools that a machine may lack."""

import importlib.util
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

CI = os.environ.get("CI", "").casefold() in ("1", "true", "yes")
#: Programs that go by several names.
PROGRAMS = {"chromium": ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")}

# On CI the same examples each time; at a desk, new ones.
settings.register_profile("default", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", parent=settings.get_profile("default"), derandomize=True, print_blob=True)
settings.load_profile("ci" if CI else "default")


def pytest_configure(config: pytest.Config) -> None:
    """Give the session a cache of its own; before any kernel starts, so that notebooks share it."""
    os.environ.setdefault("JUPYTER_PLATFORM_DIRS", "1")
    if "TWINLAB_CACHE" not in os.environ:
        folder = tempfile.mkdtemp(prefix="twinlab-tests-")
        os.environ["TWINLAB_CACHE"] = folder
        config.add_cleanup(lambda: shutil.rmtree(folder, ignore_errors=True))


def find_program(tool: str) -> Path | None:
    """Return where a program is, or None."""
    for name in PROGRAMS.get(tool, (tool,)):
        found = shutil.which(name)
        if found:
            return Path(found)
    return None


@pytest.fixture(scope="session")
def need() -> Callable[[str], Path | None]:
    """Return ``need(tool)``: skips the test where a program or module is missing, fails it where CI is true.

    It returns the program's path, or None for an importable module.
    """

    def check(tool: str) -> Path | None:
        program = find_program(tool)
        if program is not None:
            return program
        if tool not in PROGRAMS and importlib.util.find_spec(tool) is not None:
            return None
        message = f"{tool} is neither a program on the path nor an installed module"
        if CI:
            pytest.fail(f"{message}; CI must have it (see .ci/run)")
        pytest.skip(message)

    return check


@pytest.fixture(scope="session")
def chromium(need: Callable[[str], Path | None]) -> Path:
    """Path of a Chromium for Playwright's ``executable_path``."""
    path = need("chromium")
    assert path is not None
    return path
