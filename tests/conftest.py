"""What all tests share: a clean cache for the demo twins, Hypothesis' settings, and tools that a machine may lack."""

import importlib.util
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

CI = os.environ.get("CI", "").casefold() in ("1", "true", "yes")
#: Reasons of skips that are no reason on CI.
MISSING_TOOL = re.compile(
    r"(not|n't) (be )?(installed|found|imported)|could not import|nor an installed|missing|no chromium", re.IGNORECASE
)
#: Programs that go by several names.
PROGRAMS = {"chromium": ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")}

# On CI the same examples each time; at a desk, new ones.
settings.register_profile("default", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", parent=settings.get_profile("default"), derandomize=True, print_blob=True)
settings.load_profile("ci" if CI else "default")


def pytest_configure(config: pytest.Config) -> None:
    """Give the session a cache of its own; before any kernel starts, so that notebooks share it."""
    os.environ.setdefault("JUPYTER_PLATFORM_DIRS", "1")
    # What tests set must not become the settings of who runs them.
    if "TWINLAB_CONFIG" not in os.environ:
        own = tempfile.mkdtemp(prefix="twinlab-config-")
        os.environ["TWINLAB_CONFIG"] = own
        config.add_cleanup(lambda: shutil.rmtree(own, ignore_errors=True))
    if "TWINLAB_CACHE" not in os.environ:
        folder = tempfile.mkdtemp(prefix="twinlab-tests-")
        os.environ["TWINLAB_CACHE"] = folder
        config.add_cleanup(lambda: shutil.rmtree(folder, ignore_errors=True))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """On CI, turn a skip for want of a tool into a failure: a test that never runs proves nothing."""
    report = yield
    if CI and report.skipped and not hasattr(report, "wasxfail"):
        reason = str(report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr)
        if MISSING_TOOL.search(reason):
            report.outcome = "failed"
            report.longrepr = f"{item.nodeid} was skipped on CI: {reason}; CI must have the tool (see .ci/run)"
    return report


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let a test that drives a browser try again: on a busy machine Chromium or a kernel may answer too late."""
    for item in items:
        if item.get_closest_marker("browser") is not None:
            item.add_marker(pytest.mark.flaky(reruns=2))


def find_program(tool: str) -> Path | None:
    """Return where a program is, or None."""
    for name in PROGRAMS.get(tool, (tool,)):
        found = shutil.which(name)
        if found:
            return Path(found)
    return None


@pytest.fixture(scope="session")
def need() -> Callable[[str], Path | None]:
    """Return ``need(tool)``: skips the test where a program or module is missing; CI takes that for a failure.

    It returns the program's path, or None for an importable module.
    """

    def check(tool: str) -> Path | None:
        program = find_program(tool)
        if program is not None:
            return program
        if tool not in PROGRAMS and importlib.util.find_spec(tool) is not None:
            return None
        message = f"{tool} is neither a program on the path nor an installed module"
        pytest.skip(message)

    return check


@pytest.fixture(scope="session")
def chromium(need: Callable[[str], Path | None]) -> Path:
    """Path of a Chromium for Playwright's ``executable_path``."""
    path = need("chromium")
    assert path is not None
    return path


@pytest.fixture(scope="session")
def grave_faults() -> Callable[[Any], list[str]]:
    """Return ``grave_faults(page)``: the serious and critical faults that axe-core finds on a Playwright page, a line each.

    axe-core comes with its Python package: nothing is asked outside.
    """
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()

    def check(page: Any) -> list[str]:
        return [
            f"{fault['id']} ({fault['impact']}): {fault['help']}: {node['target']} {node['html'][:300]}"
            for fault in axe.run(page).response["violations"]
            if fault["impact"] in ("serious", "critical")
            for node in fault["nodes"]
        ]

    return check
