"""What a page does later, it does with its own document as the current one."""

import threading
from types import SimpleNamespace

import panel as pn
import pytest
from bokeh.document import Document
from bokeh.models import Div
from panel.io.state import set_curdoc

from twinlab.explore.charts.figures import update_screen
from twinlab.explore.kit.background.run import BackgroundRun


@pytest.fixture
def served():
    """A document as a server has it, and one of another page."""
    contexts = [SimpleNamespace(id="1", session=None), SimpleNamespace(id="2", session=None)]
    documents = [Document(), Document()]
    for document, context in zip(documents, contexts, strict=True):
        document.set_title("page")
        document._session_context = lambda context=context: context
    return documents


def run_ticks(document, *, within):
    """Run callbacks in the context of another page, as Tornado does for one that was asked for there."""
    with set_curdoc(within):
        for one in list(document.session_callbacks):
            one.callback()


def test_a_background_run_reports_in_its_own_document(served):
    own, other = served
    seen, done = [], threading.Event()

    def compute(*, progress, cancel):
        del cancel
        progress(1)
        return 2

    with set_curdoc(own):
        run = BackgroundRun(
            compute,
            on_progress=lambda steps: seen.append((steps, pn.state.curdoc)),
            on_end=lambda found, fault: seen.append((found, fault, pn.state.curdoc)),
        )
        run.start()
    for _ in range(600):
        if len(own.session_callbacks) >= 3:
            break
        done.wait(0.05)
    run_ticks(own, within=other)
    # A document lists its callbacks in no particular order.
    assert len(seen) == 2
    assert ([1], own) in seen and (2, None, own) in seen


def test_a_figure_is_changed_in_its_own_document(served):
    own, other = served
    own.add_root(Div(text="before"))
    seen = []
    with set_curdoc(other):
        update_screen("ref", own, lambda: seen.append(pn.state.curdoc))
    assert seen == []
    run_ticks(own, within=other)
    assert seen == [own]
