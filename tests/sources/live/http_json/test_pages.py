"""Rows of an answer, the request for the next page, and the window of known rows."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from twinlab.errors import SourceError
from twinlab.sources.live import LIVE_KINDS
from twinlab.sources.live.http_json.options import Pages, ServiceTable
from twinlab.sources.live.http_json.pages import Request, next_request, rows_of
from twinlab.sources.live.http_json.window import Window, change_of

HERE = Request("https://h/api/positions", {"limit": "3"})
SECOND = 10**9


def test_the_list_is_found_at_its_place_or_the_error_says_what_is_there() -> None:
    assert rows_of([1], "", what="t") == [1]
    with pytest.raises(
        SourceError, match=r"t: expected a list at 'data.rows' of the answer, got a NoneType; the answer has data"
    ):
        rows_of({"data": {"items": []}}, "data.rows", what="t")
    with pytest.raises(SourceError, match="at 'the top' of the answer, got a dict"):
        rows_of({}, "", what="t")


@pytest.mark.parametrize(
    ("pages", "answer", "headers", "following"),
    [
        ({"by": "cursor", "next": "m.c", "parameter": "cursor"}, {"m": {"c": "x"}}, {}, {"limit": "3", "cursor": "x"}),
        ({"by": "cursor", "next": "m.c", "parameter": "cursor"}, {"m": {"c": None}}, {}, None),
        ({"by": "url", "next": "next"}, {"next": "/api/positions?at=3&limit=3"}, {}, {"at": "3", "limit": "3"}),
        ({"by": "url", "next": "next"}, {}, {}, None),
        ({"by": "link"}, [], {"link": '<https://h/api/positions?at=0>; rel="first", <?at=3>; rel="next"'}, {"at": "3"}),
        ({"by": "link"}, [], {"link": "<?at=3>; title=x; rel=next"}, {"at": "3"}),
        ({"by": "link"}, [], {"link": '<?at=3>; rel="prev"; title="next"'}, None),
        ({"by": "link"}, [], {}, None),
        ({"by": "offset", "parameter": "skip"}, [], {}, {"limit": "3", "skip": "3"}),
    ],
)
def test_the_next_page_is_found(
    pages: dict[str, str], answer: object, headers: dict[str, str], following: dict[str, str] | None
) -> None:
    found = next_request(HERE, answer, headers, Pages.model_validate(pages), rows=3)
    assert (None if found is None else (found.url, found.parameters)) == (
        None if following is None else (HERE.url, following)
    )


def test_a_cursor_that_stays_at_the_end_or_says_that_there_is_no_more_ends_the_pages() -> None:
    at_end = Request("https://h", {"after": "7"})
    assert next_request(at_end, {"next": 7}, {}, Pages(by="cursor", next="next", parameter="after"), rows=0) is None
    pages = Pages(by="cursor", next="next", parameter="after", more="more")
    assert next_request(at_end, {"next": 9, "more": False}, {}, pages, rows=2) is None
    following = next_request(at_end, {"next": 9, "more": True}, {}, pages, rows=2)
    assert following == Request("https://h", {"after": "9"})


def test_numbered_rows_need_no_overlap() -> None:
    table = ServiceTable(path="p", key=["n"], updated="n", since="after", times="number")
    window = Window(table, overlap=60 * SECOND, until=4)
    assert window.since() == "4"
    window.begin()
    assert len(list(window.fresh([{"n": 5}, {"n": 6}]))) == 2
    assert window.end(0)
    assert window.since() == "6"


def test_an_offset_ends_with_an_empty_page() -> None:
    pages = Pages(by="offset", parameter="skip")
    assert next_request(HERE, [], {}, pages, rows=0) is None


@pytest.mark.parametrize("url", ["https://evil/api?at=3", "http://h/api?at=3", "https://h:8443/api", "//evil/x"])
def test_a_next_page_on_another_host_is_not_asked(url: str) -> None:
    with pytest.raises(SourceError, match="another host"):
        next_request(HERE, {"next": url}, {}, Pages(by="url", next="next"), rows=3)


def test_a_service_that_names_the_same_page_again_is_an_error() -> None:
    pages = Pages(by="cursor", next="c", parameter="cursor")
    with pytest.raises(SourceError, match="same page again"):
        next_request(Request("https://h", {"cursor": "x"}), {"c": "x"}, {}, pages, rows=3)


@given(
    st.lists(st.tuples(st.integers(0, 4), st.integers(0, 60), st.integers(0, 3)), max_size=40),
    st.lists(st.integers(1, 10), max_size=8),
)
def test_each_version_of_a_row_that_appears_within_the_overlap_comes_once(
    written: list[tuple[int, int, int]], polls: list[int]
) -> None:
    table = ServiceTable(path="p", key=["id"], updated="at", since="since", times="s")
    window = Window(table, overlap=1_000 * SECOND)
    there: dict[int, dict[str, int]] = {}
    found: list[tuple[int, int, int]] = []
    wanted: list[tuple[int, int, int]] = []
    for count in [*polls, 100]:
        for key, at, value in written[:count]:
            there[key] = {"id": key, "at": at, "value": value}
        del written[:count]
        low = int(window.since() or -(10**6))
        before = {key: row for key, *row in found}
        wanted += [
            (row["id"], row["at"], row["value"])
            for row in there.values()
            if before.get(row["id"]) != [row["at"], row["value"]]
        ]
        window.begin()
        fresh = list(window.fresh([row for row in there.values() if row["at"] >= low]))
        found += [(row["id"], row["at"], row["value"]) for row in fresh]  # type: ignore[index]
        window.end(10**18)
    assert found == wanted


def test_a_row_of_the_future_does_not_hide_the_others() -> None:
    table = ServiceTable(path="p", key=["id"], updated="at", since="since", times="ms")
    window = Window(table, overlap=10 * SECOND)
    window.begin()
    assert len(list(window.fresh([{"id": 1, "at": 10**15}]))) == 1
    assert window.end(1_000 * SECOND)
    assert window.since() == "990000"


def test_rows_that_left_the_window_are_forgotten() -> None:
    table = ServiceTable(path="p", key=["id"], updated="at", since="since", times="s")
    window = Window(table, overlap=10 * SECOND)
    for start in range(0, 10_000, 100):
        window.begin()
        list(window.fresh([{"id": at, "at": at} for at in range(start, start + 100)]))
        window.end(10**18)
        assert len(window._known) <= 12


@pytest.mark.parametrize(
    ("value", "times", "ns"),
    [
        ("2026-03-01T00:00:00.25Z", "iso", 1_772_323_200_250_000_000),
        ("2026-03-01 00:00:00", "iso", 1_772_323_200_000_000_000),
        (1_772_323_200, "s", 1_772_323_200_000_000_000),
        ("1772323200001", "ms", 1_772_323_200_001_000_000),
        (None, "iso", None),
        (True, "s", None),
        ("nan", "s", None),
    ],
)
def test_times_of_changes(value: object, times: str, ns: int | None) -> None:
    assert change_of(value, times) == ns


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"url": "http://h/api"}, "expected https: a token that is sent to h by http"),
        ({"url": "https://me:secret@h/api"}, "without a password"),
        ({"token": "secret"}, "environment variable"),
        ({"tables": {"t": {"path": "p", "key": ["id"], "since": "s"}}}, "expected since and updated, or neither"),
        ({"tables": {"t": {"path": "p", "key": []}}}, "key"),
        ({"tables": {"t": {"path": "p", "key": ["id"], "oldest": "o"}}}, "'oldest' needs `times: number`"),
        (
            {"tables": {"t": {"path": "p", "key": ["id"], "pages": {"by": "cursor"}}}},
            "pages by cursor needs the key 'next'",
        ),
        (
            {"tables": {"t": {"path": "p", "key": ["id"], "pages": {"by": "link", "next": "n"}}}},
            "pages by link doesn't use the key 'next'",
        ),
    ],
)
def test_options_that_can_t_be_or_aren_t_safe_are_refused(options: dict[str, Any], message: str) -> None:
    good: dict[str, Any] = {"url": "https://h/api", "token": "${T}", "tables": {"t": {"path": "p", "key": ["id"]}}}
    LIVE_KINDS.get("http").parse(good)
    with pytest.raises(ValidationError, match=message):
        LIVE_KINDS.get("http").parse({**good, **options})
