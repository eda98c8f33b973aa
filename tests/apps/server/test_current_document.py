"""No document stays the current one after an error; Bokeh alone leaves it."""

import threading

import panel as pn
import pytest
from bokeh.document import Document
from bokeh.document.callbacks import invoke_with_curdoc
from bokeh.io import curdoc, doc

from twinlab.apps.server.current_document import reset_current_document_after_errors


@pytest.fixture(autouse=True)
def fixed():
    reset_current_document_after_errors()
    assert doc._PATCHED_CURDOCS == []


def fail():
    message = "planted"
    raise RuntimeError(message)


def test_a_failed_callback_leaves_no_current_document():
    document, before = Document(), curdoc()
    with pytest.raises(RuntimeError, match="planted"):
        invoke_with_curdoc(document, fail)
    assert curdoc() is before and pn.state.curdoc is None
    assert doc._PATCHED_CURDOCS == []


def test_an_error_inside_a_callback_of_another_document_leaves_that_one():
    outer, inner = Document(), Document()

    def run():
        with pytest.raises(RuntimeError, match="planted"):
            invoke_with_curdoc(inner, fail)
        assert curdoc() is outer
        invoke_with_curdoc(inner, lambda: invoke_with_curdoc(outer, lambda: None))
        assert curdoc() is outer
        return "done"

    assert invoke_with_curdoc(outer, run) == "done"


def test_callbacks_without_a_lock_get_a_proxy():
    def run():
        with pytest.raises(AttributeError, match="Only 'add_next_tick_callback'"):
            curdoc().clear()
        return curdoc()

    run.nolock = True
    document = Document()
    assert invoke_with_curdoc(document, run)._doc is document


def test_callbacks_of_two_threads_end_in_any_order():
    first, second = Document(), Document()
    entered, may_end = threading.Event(), threading.Event()

    def wait():
        entered.set()
        assert may_end.wait(30)

    thread = threading.Thread(target=invoke_with_curdoc, args=(first, wait))
    thread.start()
    assert entered.wait(30)

    def end_the_other():
        may_end.set()
        thread.join()
        assert curdoc() is second

    invoke_with_curdoc(second, end_the_other)
    assert doc._PATCHED_CURDOCS == []
