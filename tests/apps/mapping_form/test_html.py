"""The HTML of the mapping form: what comes from files is text, never markup."""

import pytest

from twinlab.apps.mapping_form.html import (
    cell,
    heading,
    message,
    messages,
    muted,
    preview_html,
    question_html,
    state,
    title,
)
from twinlab.apps.mapping_form.preview import FoundRows, PreviewRow, PreviewTable, Value

EVIL = "<script>alert(1)</script>\"'&"
VALUE = Value(EVIL, EVIL, EVIL, EVIL, EVIL, EVIL, EVIL)
TABLE = PreviewTable(
    EVIL, (EVIL, "b"), (PreviewRow(1, (EVIL, ""), (VALUE, VALUE)), PreviewRow(2, ("", ""), ())),
    (FoundRows(EVIL, (EVIL,), ((EVIL,),)), FoundRows("event trip", (), ())), (EVIL,), (EVIL,) * 20, 1234,
)  # fmt: skip


@pytest.mark.parametrize(
    "made",
    [
        title(EVIL),
        muted(EVIL),
        state(EVIL, unsaved=True),
        cell(EVIL, title=EVIL),
        heading(EVIL, note=EVIL),
        message(EVIL, kind="error"),
        messages(EVIL, [EVIL] * 3, kind="warn"),
        preview_html(TABLE),
        question_html(EVIL, evidence=EVIL, places=[(EVIL, EVIL), (EVIL, "b")]),
    ],
    ids=["title", "muted", "state", "cell", "heading", "message", "messages", "preview", "question"],
)
def test_text_of_others_is_escaped_everywhere(made: str) -> None:
    assert "&lt;script&gt;" in made
    assert "<script" not in made
    # No value ends an attribute, and none is escaped twice.
    assert "&quot;" not in made
    assert "\"'&" not in made
    assert "&amp;lt;" not in made


def test_a_preview_has_heads_rows_events_and_messages() -> None:
    value = Value("Temp", "fridge/1", "temperature", "2026-03-01 00:00:00", 4.0, "degC", "4.00")
    door = Value("Door", "fridge/1", "door", "2026-03-01 00:00:00", "open", "", "open")
    table = PreviewTable(
        "fridges", ("Zeit", "Temp"), (PreviewRow(2, ("1.3.", "4,0"), (value, door)),),
        (FoundRows("event trip", ("asset",), (("fridge/1",),)),), ("row 3: no number",), ("X (2 rows): unknown",), 1234,
    )  # fmt: skip
    made = preview_html(table, stale=True)
    assert made.startswith('<div class="tl-preview tl-stale" tabindex="0"><table><thead>')
    assert '<th colspan="2">as written, the first 1 rows of fridges</th>' in made
    assert '<th class="first" colspan="4">harmonised</th>' in made
    assert '<td class="n tl-muted">2</td><td title="1.3.">1.3.</td>' in made
    assert '<th class="n" title="temperature [degC]">temperature [degC]</th><th title="door">door</th>' in made
    assert "as event trip, times in UTC" in made
    assert "<li>row 3: no number</li>" in made
    assert "1,234 cells are empty" in made
    assert "tl-stale" not in preview_html(table)


def test_a_long_list_of_messages_is_cut_and_counted() -> None:
    made = messages("Could not be read", [f"row {number}" for number in range(1500)], kind="warn")
    assert made.count("<li>") == 13
    assert "<li>… and 1,488 more</li>" in made
    assert messages("Could not be read", [], kind="warn") == ""
