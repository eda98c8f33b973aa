"""Pages by name: those of other packages, those that can't be loaded, and what every page must fulfil."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pandas as pd
import panel as pn
import pytest

from twinlab.errors import SchemaError, UnknownTermError
from twinlab.explore import PAGES, Explorer, Link, PageSpec, Workspace
from twinlab.explore.page_registry import PageRegistry, available_pages
from twinlab.model.twinmodel import TwinModel
from twinlab.testing import FakeTwin, check_page

# Bokeh 3.9 resets an index in place, which pandas 3.1 deprecates.
pytestmark = pytest.mark.filterwarnings("ignore:The inplace keyword in DataFrame")

ROOT = Path(__file__).parents[2]

#: A page as another package writes it: one module.
ROUNDS = """
from dataclasses import replace

import panel as pn

from twinlab.explore import Explorer, Link, PageSpec


class RoundsView(Explorer):
    name_in_link = "rounds"
    label = "Rounds"

    def __init__(self, twin, **shared):
        super().__init__(twin, **shared)
        self.apply(self.first_link)

    def link(self):
        return Link(page=None, asset_type=self.asset_type)

    def apply(self, link):
        self.asset_type = link.asset_type if link.asset_type in self.twin.model.asset_types else None
        self.revision += 1

    def code(self):
        return f"{self.open_code}\\n\\ndata = twin.events('delivery')"

    def data(self):
        return self.twin.events("delivery")

    def tables(self):
        return {"rounds": self.data()}

    def settings(self):
        return {}

    def figure(self, *, backend="bokeh"):
        return None

    def __panel__(self):
        return pn.pane.Markdown("Rounds")


PAGE = PageSpec(
    "rounds",
    "Rounds",
    "route",
    load=lambda: RoundsView,
    has=lambda twin: "delivery" in twin.model.event_types,
    roles=("planner",),
)
"""

#: Opens a twin with both packages installed, and tells what a reader meets.
VISIT = """
import json

from twinlab.apps import User, may_see
from twinlab.explore import PAGES, Link, Workspace
from twinlab.model.twinmodel import TwinModel
from twinlab.model.twinmodel import TwinModel
from twinlab.testing import FakeTwin, check_page

twin = FakeTwin.example(days=2, trips=20)
check_page(PAGES.get("rounds"))
all_of_them = Workspace(twin, link=Link(page="rounds"))
first = Workspace(twin, page="events")
told = first.notice
first.page = "rounds"


def seen(role, page):
    user = User("dora", roles=(role,))
    shown = Workspace(twin, link=Link(page=page), allowed=lambda name: may_see(user, name))
    return [[spec.name for spec in shown.pages], shown.page, shown.notice]


print(json.dumps({
    "names": PAGES.names(),
    "pages": [spec.name for spec in all_of_them.pages],
    "page": all_of_them.page,
    "told": told,
    "told_on_the_page": first.notice,
    "without_deliveries": [spec.name for spec in Workspace(FakeTwin(TwinModel(twin="empty"))).pages],
    "faults": PAGES.faults(),
    "asked_for": Workspace(twin, link=Link(page="broken")).notice,
    "planner": seen("planner", "rounds"),
    "viewer": seen("viewer", "rounds"),
    "admin": seen("admin", "rounds"),
}))
"""


def install(folder: Path, package: str, *, pages: dict[str, str], **modules: str) -> None:
    """Install a package with its metadata into a folder, as pip would."""
    for name, text in modules.items():
        (folder / f"{name}.py").write_text(text, encoding="utf-8")
    metadata = folder / f"{package.replace('-', '_')}-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n", encoding="utf-8")
    lines = "\n".join(f"{name} = {target}" for name, target in pages.items())
    (metadata / "entry_points.txt").write_text(f"[twinlab.pages]\n{lines}\n", encoding="utf-8")


@pytest.fixture(scope="module")
def visit(tmp_path_factory) -> dict:
    """What a reader meets in a fresh interpreter with a package that adds a page, and one whose page is broken."""
    folder = tmp_path_factory.mktemp("packages")
    install(folder, "rounds-page", pages={"rounds": "rounds_page:PAGE"}, rounds_page=ROUNDS)
    install(
        folder, "broken-page", pages={"broken": "broken_page:PAGE"}, broken_page="import a_module_that_is_missing\n"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, (folder, ROOT)))}
    done = subprocess.run([sys.executable, "-c", VISIT], capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_another_package_adds_a_page_through_an_entry_point(visit):
    assert visit["names"] == [
        "now",
        "map",
        "history",
        "events",
        "quality",
        "sources",
        "security",
        "what_if",
        "outlook",
        "control",
        "usage",
        "broken",
        "rounds",
    ]
    assert visit["pages"] == ["now", "map", "history", "events", "quality", "rounds"]
    assert visit["page"] == "rounds"
    assert visit["without_deliveries"] == ["now", "history"]


def test_a_page_that_cannot_be_imported_names_its_package_and_leaves_the_others_usable(visit):
    fault = visit["faults"]["broken"]
    assert list(visit["faults"]) == ["broken"]
    assert "the page 'broken' of the package 'broken-page' can't be imported" in fault
    assert "a_module_that_is_missing" in fault
    assert fault in visit["told"]
    assert visit["told_on_the_page"] == ""
    assert fault in visit["asked_for"]


def test_a_page_of_another_package_is_seen_by_its_roles_alone(visit):
    assert visit["planner"] == [["rounds"], "rounds", ""]
    pages, page, notice = visit["viewer"]
    assert (pages, page) == (["now", "map", "history", "events"], "now")
    assert "the page 'rounds' isn't open to you" in notice
    # A reader of a served twin isn't told of packages, who looks after it is.
    assert "broken-page" not in notice
    assert "rounds" in visit["admin"][0]
    assert "broken-page" in visit["admin"][2]


def test_a_name_that_is_taken_leaves_twinlabs_own_pages(tmp_path, monkeypatch):
    install(tmp_path, "second-now", pages={"now": "second_now:PAGE"}, second_now=ROUNDS)
    monkeypatch.syspath_prepend(tmp_path)
    pages = PageRegistry({"now": "twinlab.explore.pages.now:PAGE"})
    assert [page.label for page in pages] == ["Now"]
    assert "the package 'second-now' adds the page 'now', a name that twinlab has already" in " ".join(
        pages.faults().values()
    )


@pytest.mark.parametrize(
    ("target", "fault"),
    [("json:dumps", "expected a twinlab.explore.PageSpec, got function"), ("rounds_b:PAGE", "give both the same name")],
)
def test_an_entry_point_that_is_no_page_of_its_name_is_told(tmp_path, monkeypatch, target, fault):
    install(tmp_path, "odd-page", pages={"odd": target}, rounds_b=ROUNDS)
    monkeypatch.syspath_prepend(tmp_path)
    pages = PageRegistry({})
    assert list(pages) == []
    assert fault in pages.faults()["odd"]
    assert "the package 'odd-page'" in pages.faults()["odd"]


def test_a_package_that_was_repaired_is_found_again(tmp_path, monkeypatch):
    install(tmp_path, "late-page", pages={"late": "late_page:PAGE"}, late_page="raise RuntimeError\n")
    monkeypatch.syspath_prepend(tmp_path)
    pages = PageRegistry({})
    assert "late" in pages.faults()
    (tmp_path / "late_page.py").write_text(ROUNDS.replace('"rounds"', '"late"') + "\n# repaired\n", encoding="utf-8")
    pages.refresh()
    assert [page.name for page in pages] == ["late"]
    assert pages.faults() == {}


def test_a_page_that_fails_to_tell_whether_a_twin_has_it_leaves_the_others(monkeypatch):
    def has(twin):
        return twin.model.no_such_field

    monkeypatch.setattr(PAGES, "_loaded", {"map": replace(PAGES.get("map"), has=has)})
    pages, faults = available_pages(FakeTwin.example(days=1, trips=1))
    assert [page.name for page in pages] == ["now", "history", "events", "quality"]
    assert "the page 'map' of twinlab can't determine whether this twin has it: AttributeError" in faults["map"]


def test_faults_of_pages_leave_the_notice_of_a_wrong_link(monkeypatch):
    monkeypatch.setattr(PAGES, "_faults", {"broken": "the page 'broken' can't be imported"})
    workspace = Workspace(FakeTwin(TwinModel(twin="empty")), link=Link(page="histroy"))
    assert "unknown page 'histroy'" in workspace.notice
    assert "the page 'broken' can't be imported" in workspace.notice


def test_two_pages_may_have_one_label(monkeypatch):
    loaded = {"history": replace(PAGES.get("history"), label="Now"), "now": PAGES.get("now")}
    monkeypatch.setattr(PAGES, "_loaded", loaded)
    workspace = Workspace(FakeTwin(TwinModel(twin="empty")), page="history")
    assert workspace.page == "history"
    assert workspace.param.page.objects == ["now", "history"]
    assert [spec.label for spec in workspace.pages] == ["Now", "Now"]


def test_an_unknown_page_shows_the_nearest_name():
    with pytest.raises(UnknownTermError, match="did you mean 'history'"):
        PAGES.get("histroy")


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": "Now"},
        {"name": "two words"},
        {"name": ""},
        {"label": " "},
        {"icon": "<svg>"},
        {"roles": "viewer"},
        {"roles": ("",)},
    ],
    ids=str,
)
def test_a_page_states_a_name_a_label_an_icon_and_roles_in_the_right_form(wrong):
    with pytest.raises(SchemaError, match="expected"):
        replace(PAGES.get("now"), **wrong)


@pytest.mark.parametrize("name", ["now", "map", "history", "events", "quality"])
def test_every_page_of_twinlab_passes_the_conformance_check(name):
    check_page(PAGES.get(name))


class Good(Explorer):
    """The smallest view that passes the check."""

    name_in_link = "good"
    label = "Good"

    def __init__(self, twin, **shared):
        super().__init__(twin, **shared)
        self.find = self.first_link.find

    def link(self):
        return Link(find=self.find)

    def apply(self, link):
        self.find = link.find

    def code(self):
        return "import pandas as pd\n\ndata = pd.DataFrame({'a': [1]})"

    def data(self):
        return pd.DataFrame({"a": [1]})

    def tables(self):
        return {"a": self.data()}

    def settings(self):
        return {"find": str(self.find)}

    def figure(self, *, backend="bokeh"):
        return None

    def __panel__(self):
        return pn.pane.HTML("good")


def test_the_smallest_view_passes_the_conformance_check():
    check_page(PageSpec("good", "Good", "star", lambda: Good))


@pytest.mark.parametrize(
    ("fault", "wrong"),
    [
        ("name_in_link", {"name_in_link": "bad"}),
        ("label", {"label": "Bad"}),
        ("must return text", {"code": lambda self: None}),
        ("nothing that reads them", {"code": lambda self: ""}),
        ("under the name data", {"code": lambda self: "found = 1"}),
        ("other data than the page shows", {"data": lambda self: pd.DataFrame({"a": [2]})}),
        ("must map text to a DataFrame", {"tables": lambda self: {"a": [1]}}),
        ("must map text to text", {"settings": lambda self: {"a": 1}}),
        ("must return a twinlab.explore.Link", {"link": lambda self: "?find=a"}),
        ("opens the page as", {"link": lambda self: Link(find=str(id(self)))}),
    ],
    ids=lambda given: given if isinstance(given, str) else "",
)
def test_the_conformance_check_names_the_rule_that_a_page_breaks(fault, wrong):
    bad = type("Bad", (Good,), wrong)
    with pytest.raises(AssertionError, match=fault):
        check_page(PageSpec("good", "Good", "star", lambda: bad))


def test_the_conformance_check_finds_state_that_readers_share():
    class Bad(Good):
        opened = 0

        def __init__(self, twin, **shared):
            super().__init__(twin, **shared)
            if self.first_link.asset_type is not None:
                type(self).opened += 1

        def link(self):
            return Link(find=f"opened {self.opened} times")

    with pytest.raises(AssertionError, match="changes another reader's page"):
        check_page(PageSpec("good", "Good", "star", lambda: Bad))


def test_the_conformance_check_needs_a_twin_that_has_the_page():
    with pytest.raises(AssertionError, match="give another twin"):
        check_page(PageSpec("good", "Good", "star", lambda: Good, has=lambda _: False))


def test_code_with_a_syntax_error_fails_the_conformance_check():
    bad = type("Bad", (Good,), {"code": lambda self: "data = ("})
    with pytest.raises(SyntaxError):
        check_page(PageSpec("good", "Good", "star", lambda: bad))
