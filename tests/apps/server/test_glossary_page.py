"""The page of the glossary: found by any word, in both languages, without a script, and behind the login like every page."""

import re
import urllib.request
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import twinlab as tl
from tests.hostile_texts import MARKUP
from twinlab.apps.server.glossary_page import glossary_html
from twinlab.languages import using
from twinlab.testing import FakeTwin


def test_a_word_of_either_side_finds_its_term_and_no_word_shows_all() -> None:
    one = glossary_html("topic", title="A twin", nonce="n")
    assert re.findall(r'<h2 lang="en">(.*?)</h2>', one) == ["tag"]
    assert len(re.findall("<article>", glossary_html("", title="A twin", nonce="n"))) == len(tl.glossary())
    nothing = glossary_html("no such word", title="A twin", nonce="n")
    assert "<article>" not in nothing
    assert "The glossary doesn&#39;t have no such word." in nothing


def test_the_page_is_in_the_readers_language() -> None:
    with using("de"):
        shown = glossary_html("Sollwert", title="A twin", nonce="n")
    assert '<html lang="de">' in shown
    assert "<h1>Glossar</h1>" in shown
    assert "Alle Begriffe" in shown


@pytest.mark.parametrize("text", MARKUP)
def test_what_somebody_asks_for_is_text_and_no_markup(text: str) -> None:
    shown = str(glossary_html(text, title=text, nonce="n"))
    assert "<script" not in shown.casefold()
    assert "<img" not in shown.casefold()


@pytest.fixture(scope="module")
def served() -> Iterator[Any]:
    running = tl.apps.start(FakeTwin.example(days=1, trips=1), warm=False)
    yield running
    running.stop()


def test_the_server_answers_without_allowing_a_script(served: Any) -> None:
    with urllib.request.urlopen(f"{served.url}glossary?q=scan+rate&lang=de") as answer:
        text, policy = answer.read().decode(), answer.headers["Content-Security-Policy"]
    assert '<html lang="de">' in text and "cadence" in text
    assert "script-src" not in policy and policy.startswith("default-src 'none'")
    found = re.search(r"nonce-([\w-]+)", policy)
    assert found is not None
    assert f'<style nonce="{found[1]}">' in text


@pytest.mark.browser
def test_the_link_of_a_page_opens_it_and_it_fits_a_phone(
    served: Any, open_page: Callable[..., Any], grave_faults: Callable[[Any], list[str]]
) -> None:
    page = open_page(served.url)
    with page.context.expect_page() as opened:
        page.get_by_role("link", name="Glossary").click()
    shown = opened.value
    shown.get_by_label("A word of either side").fill("setpoint")
    shown.get_by_role("button", name="Find").click()
    shown.get_by_role("heading", name="setpoint, reported").wait_for()
    assert grave_faults(shown) == []
    shown.set_viewport_size({"width": 390, "height": 800})
    shown.get_by_role("link", name="All terms").click()
    shown.get_by_role("heading", name="fidelity").wait_for()
    assert shown.evaluate("document.documentElement.scrollWidth <= innerWidth")
