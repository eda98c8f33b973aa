"""Links: what a view writes it reads back; what it can't read becomes a message."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from twinlab.explore import Link, format_link, parse_link

TEXT = st.text(min_size=1, max_size=12)
SECONDS = st.integers(0, 2**31)


@given(
    st.one_of(st.none(), TEXT),
    st.one_of(st.none(), st.lists(TEXT, min_size=1, max_size=4).map(tuple)),
    st.one_of(st.none(), st.tuples(SECONDS, SECONDS).filter(lambda w: w[0] < w[1])),
    st.one_of(st.none(), st.booleans()),
)
def test_a_link_is_read_back_as_it_was_written(term, assets, window, flag):
    span = None if window is None else tuple(np.datetime64(s, "s").astype("datetime64[ns]") for s in window)
    link = Link(
        asset_type=term,
        signals=None if term is None else (term, "b"),
        assets=assets,
        window=span,
        at=None if span is None else span[0],
        show_flags=flag,
        in_view=flag,
        event_type=term,
        page=term,
        layout=term,
        compare=term,
        find=term,
        heat=term,
    )
    assert parse_link(format_link(link)) == link


@given(st.text(max_size=80))
def test_no_query_breaks_the_reading(query):
    assert isinstance(parse_link(query), Link)


def test_a_time_with_an_offset_is_turned_to_utc():
    link = parse_link("?from=2013-02-12T01:00-05:00&to=2013-02-12T07:00Z".replace("+", "%2B"))
    assert link.window == (np.datetime64("2013-02-12T06:00"), np.datetime64("2013-02-12T07:00"))


def test_wrong_windows_are_told():
    assert "isn't before" in parse_link("?from=2013-02-12&to=2013-02-11").problems[0]
    assert "both from= and to=" in parse_link("?from=2013-02-12").problems[0]
    assert "neither 1 nor 0" in parse_link("?flags=yes").problems[0]
    assert "isn't part of a link" in parse_link("?color=red").problems[0]
