"""Every page and every export, for roles and purposes: what the policy hides isn't in any byte of it (all with ``-m soak``)."""

import asyncio
import copy
import io
import zipfile

import pytest

from twinlab.apps.rights.audiences import Audiences
from twinlab.apps.rights.pages import opens_page
from twinlab.apps.rights.rights import Rights
from twinlab.explore.kit.link import Link
from twinlab.explore.page_registry import PAGES
from twinlab.explore.workspace import Workspace
from twinlab.model.access.policy_file import parse_policy
from twinlab.model.privacy.policy import Policy
from twinlab.model.privacy.purpose_reader import PurposeReader
from twinlab.model.twinmodel import TwinModel
from twinlab.testing import FakeTwin
from twinlab.testing.example_model import EXAMPLE_MODEL

# Bokeh 3.9 resets an index in place, which pandas 3.1 deprecates.
pytestmark = pytest.mark.filterwarnings("ignore:The inplace keyword in DataFrame")

POLICY = """
roles:
  viewer: {pages: "*", sensitivity: open}
  dispatcher: {pages: "*", sensitivity: personal, purposes: [dispatch], assets: [{type: van}, {type: station, ids: [NORTH]}]}
  analyst: {pages: "*", sensitivity: sensitive, purposes: "*"}
  steward: {pages: "*"}
"""
#: (owner, field) -> sensitivity, purposes; the values of each are found by what is written in it.
FIELDS = {
    ("van", "plate"): ("personal", ["dispatch"]),
    ("van", "speed"): ("personal", ["dispatch"]),
    ("station", "height"): ("sensitive", ["payroll"]),
    ("parcel", "content"): ("internal", None),
    ("station", "name"): ("open", None),
}
WRITTEN = {
    ("van", "plate"): b"PLATE-OF-A-PERSON",
    ("van", "speed"): b"61.803",
    ("station", "height"): b"9753.25",
    ("parcel", "content"): b"CONTENT-OF-A-PARCEL",
}
#: Text that only assets beyond a group have.
OF_ASSETS = {"dispatcher": [b"East quay", b"West gate"]}
CASES = [("viewer", None), ("dispatcher", None), ("dispatcher", "dispatch"), ("analyst", "dispatch"), ("analyst", "payroll"), ("steward", None)]  # fmt: skip


@pytest.fixture(scope="module")
def twin():
    model = copy.deepcopy(EXAMPLE_MODEL)
    basis = {"description": "A purpose.", "legal_basis": "contract", "identity": "plain"}
    model["purposes"] = {"dispatch": basis, "payroll": basis}
    for (owner, name), (level, purposes) in FIELDS.items():
        kind = model["asset_types"][owner]
        part = "signals" if name in kind.get("signals", {}) else "properties"
        kind[part][name] = {**kind[part][name], "sensitivity": level, "purposes": purposes}
    model["asset_types"]["van"]["signals"]["speed"]["resolution"] = 0.001
    twin = FakeTwin.example(days=2, trips=20)
    twin._model = TwinModel.model_validate(model)
    twin._assets["van"] = twin.assets("van").assign(plate="PLATE-OF-A-PERSON")
    twin._assets["station"] = twin.assets("station").assign(height=9753.25)
    twin._assets["parcel"] = twin.assets("parcel").assign(content="CONTENT-OF-A-PARCEL")
    histories = twin._histories["van"]
    twin._histories["van"] = tuple(
        one.assign(speed=one["speed"].where(one["speed"].isnull(), 61.803)) if "speed" in one else one
        for one in histories
    )
    return twin


@pytest.fixture(scope="module")
def audiences(twin):
    def reader(purpose, user):
        return PurposeReader(twin, Policy(twin.model, purpose), lambda *_: "", lambda _: None)

    return Audiences(twin, for_purpose=reader)


def hidden(rights, twin):
    """What must not be in anything that a role gets."""
    out = []
    for (owner, name), text in WRITTEN.items():
        kind = twin.model.asset_types[owner]
        spec = {**kind.signals, **kind.properties}[name]
        if not (rights.sees_type(owner, kind) and rights.sees_field(owner, name, spec)):
            out.append(text)
    return out + OF_ASSETS.get(rights.roles[0], [])


def all_bytes(path):
    """The content of a file, of each part of a spreadsheet."""
    raw = path.read_bytes()
    if path.suffix != ".xlsx":
        return raw
    with zipfile.ZipFile(io.BytesIO(raw)) as parts:
        return b"".join(parts.read(name) for name in parts.namelist())


def page_bytes(shown):
    """All that a page would send to a browser, and what it gives to a notebook."""
    from bokeh.document import Document

    document = Document()
    shown.body.server_doc(doc=document)
    tables = "".join(table.to_csv() for table in shown.tables().values())
    return (str(document.to_json()) + tables + shown.code() + str(shown.settings())).encode()


def check_pages(twin, audiences, tmp_path, role, purpose, pages=None):
    """Build the pages and write their files; return the forms of each page."""
    rights = Rights(parse_policy(POLICY), (role,), purpose)
    seen = audiences.shared(rights, user="ann")
    secret = hidden(rights, twin)

    async def look():
        found = {}
        shown = Workspace(seen.twin, shared=seen, allowed=lambda name: opens_page(rights, name))
        for spec in shown.pages:
            if pages is not None and spec.name not in pages:
                continue
            shown.page = spec.name
            contents = {"page": page_bytes(shown)}
            # The chart of a page, where it has one, in the three forms in which it can be taken along.
            forms = {".xlsx": shown.to_excel, ".csv": shown.export, ".html": shown.report}
            # All forms are made of the same view; a report takes a second.
            for suffix in forms if spec.name in ("now", "history") else (".csv",):
                path = tmp_path / f"{spec.name}{suffix}"
                try:
                    forms[suffix](path)
                except ValueError:
                    # There is nothing to write.
                    continue
                contents[suffix] = all_bytes(path)
            found[spec.name] = contents
        return found

    found = asyncio.run(look())
    told = [
        (page, form, text)
        for page, forms in found.items()
        for form, content in forms.items()
        for text in secret
        if text in content
    ]
    assert told == []
    return found


@pytest.mark.parametrize(("role", "purpose"), CASES[:2], ids=lambda one: str(one))
def test_a_page_and_its_exports_have_nothing_that_the_policy_hides(twin, audiences, tmp_path, role, purpose):
    found = check_pages(twin, audiences, tmp_path, role, purpose, pages=("history",))
    assert {"page", ".xlsx", ".html"} <= found["history"].keys()


@pytest.mark.soak
@pytest.mark.parametrize(("role", "purpose"), CASES, ids=lambda one: str(one))
def test_no_page_and_no_export_has_what_the_policy_hides(twin, audiences, tmp_path, role, purpose):
    found = check_pages(twin, audiences, tmp_path, role, purpose)
    assert {"now", "history"} <= found.keys()
    assert {".xlsx", ".html", ".csv"} <= found["now"].keys() | found["history"].keys()


def test_what_the_policy_shows_is_on_a_page(twin, audiences):
    """The other half: the search would find it."""
    rights = Rights(parse_policy(POLICY), ("analyst",), "dispatch")
    seen = audiences.shared(rights, user="ann")

    async def look():
        shown = Workspace(seen.twin, shared=seen, link=Link(page="history", asset_type="van", signals=("speed",)))
        return page_bytes(shown) + "".join(table.to_csv() for table in shown.tables().values()).encode()

    text = asyncio.run(look())
    assert b"61.803" in text and b"PLATE-OF-A-PERSON" in text


def test_a_link_to_what_is_hidden_shows_nothing_of_it(twin, audiences):
    rights = Rights(parse_policy(POLICY), ("steward",))
    seen = audiences.shared(rights, user="ann")
    links = [
        Link(page="history", asset_type="van", signals=("speed",), assets=("V1",)),
        Link(page="history", asset_type="van", signals=("speed",), heat="van.speed"),
        Link(page="events", event_type="trip", when="speed > 10 km/h", by="plate"),
        Link(page="map", asset_type="van", find="PLATE"),
        Link(page="now", find="PLATE-OF-A-PERSON"),
    ]

    async def look(link):
        return page_bytes(Workspace(seen.twin, shared=seen, link=link))

    for link in links:
        text = asyncio.run(look(link))
        assert b"61.803" not in text
        # The search text itself stays where it was typed.
        assert text.count(b"PLATE-OF-A-PERSON") <= (6 if link.find else 0)


def test_every_registered_page_is_looked_at(twin):
    assert {"now", "map", "history", "events", "quality"} <= set(PAGES.names())
