"""What all tests share: a clean cache for the demo twins, Hypothesis' settings, and tools that a machine may lack."""

import gc
import importlib.util
import os
import re
import shutil
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Container, Generator, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

CI = os.environ.get("CI", "").casefold() in ("1", "true", "yes")
#: Reasons of skips that are no reason on CI.
MISSING_TOOL = re.compile(
    r"(not|n't) (be )?(installed|found|imported)|could not import|nor an installed|missing|no chromium", re.IGNORECASE
)
#: What a page may ask for: this machine alone.
INSIDE = (*(f"{scheme}://127.0.0.1" for scheme in ("http", "https", "ws", "wss")), "file:", "data:", "blob:", "about:")
#: Chromium on its own business would ask the network.
CHROMIUM_ARGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
#: Milliseconds that a busy machine may take to show what is asked for.
PATIENCE = 60_000
#: Warnings of others in a served page.
NOT_OURS = (
    # Bokeh 3.9 resets an index in place, which pandas 3.1 deprecates.
    "ignore:The inplace keyword in DataFrame",
    # Bokeh's browser half may send a model that the server has made known meanwhile; the server keeps its own.
    "ignore:reference already known",
)
#: More than any file of tests needs; clients that wait with ``select`` fail above 1,023.
OPEN_FILES = 400
#: Markers of tests that run only when ``-m`` names them.
ONLY_WHEN_ASKED = {"soak", "benchmark"}
#: Programs that go by several names.
PROGRAMS = {
    # The first is Chromium without windows, which takes a fifth to a third less CPU.
    "chromium": ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome", "google-chrome-stable"),
    # Debian installs it outside of the PATH of users.
    "mosquitto": ("mosquitto", "/usr/sbin/mosquitto"),
}

# On CI the same examples each time; at a desk, new ones.
settings.register_profile("default", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", parent=settings.get_profile("default"), derandomize=True, print_blob=True)
settings.load_profile("ci" if CI else "default")
#: A third of the examples of Hypothesis on CI, if they are more than so many: always the same ones find nothing new, and at a desk each run has new ones.
CI_EXAMPLES = 40


def pytest_configure(config: pytest.Config) -> None:
    """Give the session a cache of its own; before any kernel starts, so that notebooks share it."""
    os.environ.setdefault("JUPYTER_PLATFORM_DIRS", "1")
    # A bar appears when work takes longer than two seconds, which would make the output of a notebook's cell depend on
    # the machine and on whether numba has compiled already.
    os.environ.setdefault("TQDM_DISABLE", "1")
    # Two processes of tests, with two threads each, wait for one another in busy loops.
    for library in ("OPENBLAS", "OMP"):
        os.environ.setdefault(f"{library}_NUM_THREADS", "1")
    # What tests set must not become the settings of who runs them.
    if "TWINLAB_CONFIG" not in os.environ:
        own = tempfile.mkdtemp(prefix="twinlab-config-")
        os.environ["TWINLAB_CONFIG"] = own
        config.add_cleanup(lambda: shutil.rmtree(own, ignore_errors=True))
    if "TWINLAB_CACHE" not in os.environ:
        folder = tempfile.mkdtemp(prefix="twinlab-tests-")
        os.environ["TWINLAB_CACHE"] = folder
        config.add_cleanup(lambda: shutil.rmtree(folder, ignore_errors=True))


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> None:
    """Run benchmarks and the debugger in one process, before xdist starts others: both need it."""
    if config.option.markexpr == "benchmark" or config.option.usepdb:
        config.option.numprocesses, config.option.dist, config.option.tx = 0, "no", []


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Collect without Python's search for circular garbage, and leave what was collected out of all later searches.

    Thousands of modules and items stay until the end; to search them took a third of the time of collecting, and as
    much again at each session that Bokeh ends.
    """
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


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


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what runs for minutes unless its marker is asked for, mark notebooks, and let browser tests try again.

    The selection isn't in ``addopts``, because another ``-m`` on the command line would replace it.
    A busy machine may make Chromium or a kernel answer too late: those tests run up to three times.
    """
    if CI:
        _fewer_examples(items)
    asked = config.option.markexpr
    left_out = []
    for item in items:
        if item.path.suffix == ".ipynb":
            item.add_marker(pytest.mark.notebook)
        if any(mark in ONLY_WHEN_ASKED and mark not in asked for mark in (one.name for one in item.iter_markers())):
            left_out.append(item)
        if item.get_closest_marker("browser") is not None:
            item.add_marker(pytest.mark.flaky(reruns=2))
            for warning in NOT_OURS:
                item.add_marker(pytest.mark.filterwarnings(warning))
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        gone = set(left_out)
        items[:] = [item for item in items if item not in gone]
    browsers = {item.path for item in items if item.get_closest_marker("browser") is not None}
    # Files run in this order (pyproject.toml): the long ones first, so that no process waits for one at the end.
    items.sort(key=lambda item: _place(item.path, browsers))


def _fewer_examples(items: list[pytest.Item]) -> None:
    """Let tests of Hypothesis have fewer examples; Hypothesis keeps the settings of a test as an attribute of its function."""
    tests = (getattr(item, "obj", None) for item in items)
    # Parametrised tests share a function.
    for test in {getattr(test, "__func__", test) for test in tests}:
        found = getattr(test, "_hypothesis_internal_use_settings", None)
        if found is not None and found.max_examples > CI_EXAMPLES:
            test._hypothesis_internal_use_settings = settings(
                found, max_examples=max(CI_EXAMPLES, found.max_examples // 3)
            )


def _place(path: Path, browsers: Container[Path]) -> int:
    """Where a file comes among all: the house tests compile nothing, while the first notebook compiles the kernels."""
    if path.name == "test_house.py":
        return 0
    if path.suffix == ".ipynb":
        return 1
    if path in browsers:
        return 2
    return 3 if path.name.startswith("test_") else 4


def find_program(tool: str) -> Path | None:
    """Return where a program is, or None."""
    for name in PROGRAMS.get(tool, (tool,)):
        found = shutil.which(name)
        if found:
            return Path(found)
    return None


@pytest.fixture(scope="module", autouse=True)
def no_document_left() -> Iterator[None]:
    """Reset Bokeh's current document after each file: the next one would build its pages for a browser that has left.

    Where a server ran, it leaves none, whatever failed in its pages.
    """
    yield
    doc = sys.modules.get("bokeh.io.doc")
    if doc is None:
        return
    served = doc.patch_curdoc.__module__ == "twinlab.apps.server.current_document"
    ends = time.monotonic() + (10 if served else 0)
    # A callback of a page that is being closed may run in its thread.
    while doc._PATCHED_CURDOCS and time.monotonic() < ends:
        time.sleep(0.05)
    left = [one() for one in doc._PATCHED_CURDOCS]
    doc._PATCHED_CURDOCS.clear()
    assert left == [] or not served


@pytest.fixture(scope="module", autouse=True)
def no_view_left() -> Iterator[None]:
    """Drop the views that tests have built without a browser: Panel keeps them until their session ends, which they lack."""
    yield
    panel = sys.modules.get("panel.io.state")
    if panel is None:
        return
    for name, (_, _, document, _) in list(panel.state._views.items()):
        if document is None or document.session_context is None:
            del panel.state._views[name]
    # Weak keys, but their values refer to them.
    for register in (panel.state._stylesheets, panel.state._locations, panel.state._templates):
        for document in [one for one in register if one.session_context is None]:
            del register[document]


@pytest.fixture(scope="module", autouse=True)
def few_open_files() -> Iterator[None]:
    """Close, after each file, what its tests have left open among circular garbage; fail if that isn't enough."""
    yield
    opened = Path("/proc/self/fd")
    if opened.is_dir() and len(os.listdir(opened)) > OPEN_FILES:
        gc.collect()
        left = [os.path.realpath(one) for one in opened.iterdir()]
        assert len(left) <= OPEN_FILES, left


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
def mosquitto(need: Callable[[str], Path | None], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A running `tests.mosquitto.Mosquitto`: TLS, a certificate a client, access lists."""
    from tests.mosquitto import Authority, Mosquitto

    program = need("mosquitto")
    assert program is not None
    folder = tmp_path_factory.mktemp("mosquitto")
    broker = Mosquitto(program, folder / "broker", Authority(folder / "certificates"))
    broker.start()
    yield broker
    broker.stop()


@pytest.fixture(scope="session")
def chromium(need: Callable[[str], Path | None]) -> Path:
    """Path of a Chromium for Playwright's ``executable_path``."""
    path = need("chromium")
    assert path is not None
    return path


@pytest.fixture(scope="module")
def browser(chromium: Path) -> Iterator[Any]:
    """A Chromium that Playwright drives."""
    sync_api = pytest.importorskip("playwright.sync_api")
    # Bokeh searches for circular garbage two times at the end of each session: not in what the tests before have left.
    gc.collect()
    gc.freeze()
    with sync_api.sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=str(chromium), args=CHROMIUM_ARGS)
        yield started
        started.close()
    # What is frozen is never freed.
    gc.unfreeze()


@pytest.fixture
def open_page(browser: Any) -> Iterator[Callable[..., Any]]:
    """Return ``open_page(url, **context)``: a visit with cookies of its own, 1400 by 1000 unless told.

    At the test's end no visit has asked for anything outside this machine, and none has complained.
    """
    contexts: list[Any] = []
    outside: list[str] = []
    complaints: list[str] = []

    def go(url: str, **context: object) -> Any:
        made = browser.new_context(**{"viewport": {"width": 1400, "height": 1000}, **context})
        contexts.append(made)
        made.set_default_timeout(PATIENCE)
        made.on("request", lambda one: None if one.url.startswith(INSIDE) else outside.append(one.url))
        made.on("console", lambda one: complaints.append(one.text) if one.type == "error" else None)
        made.on("weberror", lambda one: complaints.append(str(one.error)))
        page = made.new_page()
        page.goto(url)
        return page

    yield go
    for one in contexts:
        one.close()
    assert outside == []
    assert complaints == []


@pytest.fixture
def cheap_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """Derivations of keys from passphrases in a millisecond."""
    monkeypatch.setattr("twinlab.signing.keys.sealed._COST", {"n": 2**10, "r": 8, "p": 1})


@pytest.fixture(scope="session")
def dask_cluster(need: Callable[[str], Path | None]) -> Iterator[Any]:
    """A `tests.dask_cluster.DaskCluster` of this session."""
    need("distributed")
    from tests.dask_cluster import DaskCluster

    cluster = DaskCluster()
    yield cluster
    cluster.close()


@pytest.fixture
def cluster_client(dask_cluster: Any) -> Any:
    """Return a client of the session's Dask cluster, whose two workers are there: a test before may have killed one."""
    return dask_cluster.client()


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


@pytest.fixture(scope="session")
def postgres(need: Callable[[str], Path | None]) -> Iterator[str]:
    """Address of a PostgreSQL of this session, of a user who may do all; each test uses tables of its own."""
    from tests.peers import postgres_program, postgres_server

    if postgres_program("postgres") is None:
        need("postgres")
    need("psycopg")
    with postgres_server() as url:
        yield url


@pytest.fixture(scope="session")
def kafka(need: Callable[[str], Path | None], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A running `tests.kafka_broker.Kafka` of this session; each test uses topics of its own."""
    need("confluent_kafka")
    need("noida_db")
    from tests.kafka_broker import Kafka

    broker = Kafka(tmp_path_factory.mktemp("kafka"))
    broker.start()
    yield broker
    broker.stop()


@pytest.fixture(params=["files", "sqlite", "postgresql"])
def catalogue_url(request: pytest.FixtureRequest) -> str | None:
    """Address for ``storage.catalogues``: None for files, SQLite in the twin's folder, or the session's PostgreSQL."""
    addresses = {"files": None, "sqlite": "sqlite:///catalogues.db"}
    return addresses[request.param] if request.param in addresses else request.getfixturevalue("postgres")


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Any]:
    """A `twinlab.database.connection.SharedDatabase` with tables of its own."""
    from twinlab.database.opening import open_database
    from twinlab.model.storage.catalogues import CatalogueStore

    url = "sqlite:///catalogues.db" if request.param == "sqlite" else request.getfixturevalue("postgres")
    found = open_database(CatalogueStore(url=url), folder=tmp_path, twin=f"t{uuid.uuid4().hex[:12]}")
    yield found
    found.close()
