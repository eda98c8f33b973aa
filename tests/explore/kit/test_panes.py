"""HTML panes: a new text makes a notebook request no style sheets."""

import panel as pn
from bokeh.models import InlineStyleSheet

from twinlab.explore.kit.panes import Html


def test_a_new_text_leaves_the_style_sheets_of_its_model_alone():
    pane = Html("calm")
    model = pane.get_root()
    # As Panel does in a notebook where the model is first shown.
    written = [InlineStyleSheet(css="b { color: red }")]
    model.stylesheets = written
    pane.object = "storm"
    assert model.text == "storm"
    assert model.stylesheets == written


def test_it_looks_as_panels_own_pane_does():
    ours, theirs = (
        [getattr(sheet, "url", sheet) for sheet in pane.get_root().stylesheets]
        for pane in (Html("calm"), pn.pane.HTML("calm"))
    )
    assert ours == theirs


def test_panel_never_chooses_it_for_an_object():
    assert not isinstance(pn.panel("<b>calm</b>"), Html)
