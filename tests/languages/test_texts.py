"""Numbers, days and templates in a language."""

import asyncio
import threading
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twinlab._html import html
from twinlab.languages import current_language, date_text, local_number, tr, use_from_here, using
from twinlab.languages.catalogue import PSEUDO
from twinlab.languages.templates import template_texts


def test_numbers_and_days_are_written_as_the_language_writes_them() -> None:
    with using("de"):
        assert local_number("1,048.36") == "1.048,36"
        assert date_text(datetime(2026, 1, 31, 14, 2), "%Y-%m-%d %H:%M") == "31.01.2026 14:02"
        assert (
            tr("{x:,.2f} {p:.0%} {d:%Y-%m-%d}", x=-1234.5, p=0.12, d=datetime(2026, 1, 2))
            == "-1.234,50 12\N{NO-BREAK SPACE}% 02.01.2026"
        )


@given(st.floats(allow_nan=False, allow_infinity=False, width=32))
def test_a_number_in_german_is_the_english_one_with_points_and_commas_exchanged(number: float) -> None:
    english = f"{number:,.3f}"
    with using("de"):
        german = local_number(english)
    assert german.translate({ord(","): ".", ord("."): ","}) == english


def test_a_name_in_a_message_is_data_and_is_not_changed() -> None:
    with using("de"):
        assert tr("{name}, {count}", name="1,200.5", count=1) == "1,200.5, 1"


def test_texts_of_a_template_are_translated_and_values_are_not() -> None:
    template = '<p title="Close" {% if n > 1 %}class="Close"{% endif %}>Close · {{ name }}</p>'
    assert template_texts(template) == ["Close", "Close · {{ name }}"]
    with using(PSEUDO):
        assert html(template, n=2, name="Close") == '<p title="⟦Clóšé⟧" class="Close">⟦Clóšé · Close⟧</p>'


@pytest.mark.parametrize(
    "template",
    [
        "<style>p {color: red}</style>",
        "<svg><path d='M 1 2 L 3 4'/></svg>",
        "{% if some < other %}{% endif %}",
        "<b>{{ a.name }}</b>&nbsp;",
    ],
)
def test_styles_shapes_and_expressions_are_no_texts(template: str) -> None:
    assert template_texts(template) == []


def test_two_readers_at_once_each_have_their_own_language() -> None:
    found: dict[str, str] = {}
    both = threading.Barrier(2)

    def read(language: str) -> None:
        with using(language):
            both.wait()
            found[language] = tr("Close")

    threads = [threading.Thread(target=read, args=(language,)) for language in ("de", PSEUDO)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {"de": "Schließen", PSEUDO: "⟦Clóšé⟧"}


def test_a_language_goes_along_into_a_thread_and_ends_with_its_task() -> None:
    async def request() -> str:
        use_from_here("de")
        return await asyncio.to_thread(current_language)

    async def server() -> tuple[str, str]:
        return await asyncio.create_task(request()), current_language()

    assert asyncio.run(server()) == ("de", "en")
