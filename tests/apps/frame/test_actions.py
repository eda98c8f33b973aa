"""The action bar: which pages lead to the sheets that refresh themselves."""

from types import SimpleNamespace

import panel as pn
import pytest
from bokeh.document import Document
from panel.io.state import set_curdoc

from twinlab.apps.frame.actions import _sheet_items
from twinlab.testing import FakeTwin


@pytest.mark.parametrize(
    ("headers", "offered"), [({}, True), ({"X-Forwarded-Prefix": "/user/ann/twinlab"}, False), (None, False)]
)
def test_sheets_are_offered_where_programs_can_fetch_them(headers: dict[str, str] | None, *, offered: bool) -> None:
    # None: a notebook.
    document = Document()
    if headers is not None:
        request = SimpleNamespace(headers=headers)
        document._session_context = lambda: SimpleNamespace(request=request)
    with set_curdoc(document):
        assert pn.state.curdoc is document
        items = _sheet_items(SimpleNamespace(twin=FakeTwin.example(days=2, trips=2)))
    assert [item["href"] for item in items] == (["sheets/"] if offered else [])
