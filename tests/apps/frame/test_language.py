"""The language of a page: who chooses it, two readers at once, and no English left where a page is in another language."""

import asyncio
import html
import re

import pytest
from bokeh.document import Document
from bokeh.models import TableColumn
from panel.io.state import set_curdoc

from twinlab.apps.frame.browser_side import BrowserSide
from twinlab.apps.frame.frame import page
from twinlab.apps.frame.language import choose_language, language_switch
from twinlab.explore.files.report import report_html
from twinlab.explore.kit.link import Link
from twinlab.explore.kit.session import Session
from twinlab.explore.workspace import Workspace
from twinlab.languages import current_language, tr, using
from twinlab.languages.catalogue import PSEUDO
from twinlab.testing import FakeTwin

#: Properties of a model that a reader sees.
SHOWN = ("label", "title", "text", "object", "placeholder", "description", "options", "items", "axis_label", "columns")
#: Values of columns with the status of an event or the flag of a sample: filters, links and code have them.
VALUES = {"done", "running", "planned", "cancelled", "not started", "no end", "pass", "suspect", "fail", "missing"}
#: What is the same in every language, or is data: names of files and products, units, zones, names of the example twin.
SAME = re.compile(
    r"UTC|Excel|Python|Parquet|CSV|YAML|English|Deutsch|GMT|[A-Z]{3}\d[A-Z]{3}|[A-Z][A-Za-z]+/[A-Za-z_/+-]+|min|km|degC|twin\.yaml"
)


def built(query, language):
    """The document of a page of the example twin."""

    async def make():
        document = Document()
        with using(language), set_curdoc(document):
            twin = FakeTwin.example(days=1, trips=3)
            shown = page(twin, query=query, session=Session(user="", settings={"hint_done": False}))
            shown.server_doc(doc=document, title="page")
        return document, twin

    return asyncio.run(make())


def texts(document):
    """Texts of a document that a reader sees."""

    def flat(value):
        if isinstance(value, str):
            yield value
        elif isinstance(value, dict):
            yield from (text for key, one in value.items() if key in {"label", "title"} for text in flat(one))
        elif isinstance(value, (list, tuple)):
            for one in value:
                yield from flat(one[0] if isinstance(one, tuple) else getattr(one, "title", one))

    for model in document.models:
        if isinstance(model, TableColumn):
            # Read below, of tables that show it.
            continue
        hidden = set(getattr(model, "hidden_columns", ()))
        for part in (model, getattr(model, "data", None)):
            if hasattr(part, "properties_with_values"):
                shown = part.properties_with_values(include_defaults=False)
                columns = [one for one in shown.get("columns", ()) if getattr(one, "field", "") not in hidden]
                yield from (text for name in SHOWN for text in flat({**shown, "columns": columns}.get(name)))


def data_of(twin):
    """Names and titles that the twin's own model and tables have."""
    words = {twin.model.title, twin.model.twin, *VALUES}
    for kinds in (twin.model.asset_types, twin.model.event_types, twin.model.rules, twin.model.kpis):
        for name, spec in kinds.items():
            words |= {name, getattr(spec, "title", None), getattr(spec, "description", None)}
            for parts in ("signals", "properties"):
                found = getattr(spec, parts, None)
                for own, part in found.items() if isinstance(found, dict) else ():
                    words |= {own, part.title, *(getattr(part, "states", None) or {}).values()}
    for kind in twin.model.asset_types:
        table = twin.assets(kind)
        words |= {str(value) for name in ["asset", *table.columns] if name in table for value in table[name].tolist()}
        words |= set(map(str, table.index))
    return {word for word in words if word} | {word.replace("_", " ") for word in words if word}


def english(text, data):
    """Parts of a text that aren't translated, are no data, and aren't the same in every language."""
    text = html.unescape(text)
    for part in re.split(
        r"<style.*?</style>|<script.*?</script>|<pre.*?</pre>|<code.*?</code>|<[^>]*>|\n", text, flags=re.DOTALL
    ):
        rest = html.unescape(part)
        while (shorter := re.sub(r"⟦[^⟦⟧]*⟧", "", rest)) != rest:
            rest = shorter
        for word in sorted(data, key=len, reverse=True):
            rest = re.sub(rf"(?<!\w){re.escape(word)}(?!\w)", "", rest, flags=re.IGNORECASE)
        if re.search(r"[A-Za-z]{3,}", SAME.sub("", rest)):
            yield part.strip()


@pytest.mark.parametrize("name", ["now", "map", "history", "events", "quality"])
@pytest.mark.filterwarnings("ignore:The inplace keyword in DataFrame")
def test_a_page_in_another_language_has_no_english_left(name):
    document, twin = built(f"?page={name}", PSEUDO)
    data = data_of(twin)
    found = {part for text in texts(document) for part in english(text, data)}
    assert found == set()


@pytest.mark.parametrize("name", ["now", "history", "events"])
@pytest.mark.filterwarnings("ignore:The inplace keyword in DataFrame")
def test_a_report_in_another_language_has_no_english_left(name, monkeypatch):
    # Sentences of findings come from the files of `twinlab.ask.languages`, which have no language for tests.
    monkeypatch.setattr(Workspace, "findings", lambda _: [])
    twin = FakeTwin.example(days=1, trips=3)
    with using(PSEUDO):
        text = str(report_html([Workspace(twin, link=Link(page=name))]))
    body = re.sub(r"<script.*?</script>", "", text[text.rindex("</head><body>") :], flags=re.DOTALL)
    assert set(english(body, data_of(twin))) == set()


def test_the_link_counts_before_the_readers_choice_and_nothing_is_stored_by_it():
    settings = {"language": "de"}
    for query, language in (("", "de"), ("?lang=en", "en"), ("?lang=nonsense", "de")):
        with set_curdoc(Document()):
            assert choose_language(Session(settings=settings), query) == language
    assert settings == {"language": "de"}


def test_two_documents_of_one_process_each_have_their_language_and_so_do_their_threads():
    found = {}
    documents = {language: Document() for language in ("de", "en")}
    for language, document in documents.items():
        with set_curdoc(document):
            choose_language(Session(settings={"language": language}), "")

    async def callback(language, document):
        with set_curdoc(document):
            await asyncio.sleep(0)
            found[language] = tr("Close"), await asyncio.to_thread(current_language)

    async def both():
        await asyncio.gather(*(callback(language, document) for language, document in documents.items()))

    asyncio.run(both())
    assert found == {"de": ("Schließen", "de"), "en": ("Close", "en")}
    assert current_language() == "en"


@pytest.mark.filterwarnings("ignore:The inplace keyword in DataFrame")
def test_the_switch_stores_the_choice_and_loads_the_page_again():
    async def chosen():
        session, browser = Session(settings={}), BrowserSide()
        with using("en"):
            [menu] = language_switch(session, browser)
        labels = [item["label"] for item in menu.items]
        for item in ({"language": "nonsense"}, {"language": "en"}, menu.items[1]):
            [act] = menu._on_click_callbacks
            act(item)
        return labels, session.settings, browser.reloads

    assert asyncio.run(chosen()) == (["✓ English", "Deutsch"], {"language": "de"}, 1)
