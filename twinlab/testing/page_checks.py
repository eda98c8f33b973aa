"""Conformance check of a page: whether it does what the workspace and a served twin rely on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from twinlab.explore.kit.link import Link, format_link, parse_link
from twinlab.explore.kit.session import Session, Shared
from twinlab.explore.pages.spec import PageSpec
from twinlab.explore.views.base import Explorer
from twinlab.model.twinmodel import TwinModel
from twinlab.testing.fake_twin import FakeTwin

if TYPE_CHECKING:
    from twinlab.model.reader import TwinReader

__all__ = ["check_page"]

_NO_SUCH = "no such thing"


def check_page(spec: PageSpec, *, twin: TwinReader | None = None) -> None:
    """Check that a page fits into a workspace.

    The page is built for a twin with data, for the same twin before any data have arrived, and for a twin without any
    asset type. Its state goes into a link and back, its code is run, and two readers must not share state.

    Parameters
    ----------
    spec : PageSpec
        The page.
    twin : TwinReader, optional
        A twin that has the page, with data, and whose ``open_code`` opens it. By default `FakeTwin.example`.

    Raises
    ------
    AssertionError
        At the first rule that the page breaks; says which.

    Examples
    --------
    >>> from twinlab.explore import PAGES
    >>> check_page(PAGES.get("events"))
    """
    _require(isinstance(spec, PageSpec), f"expected a twinlab.explore.PageSpec, got {type(spec).__name__}")
    full = twin if twin is not None else FakeTwin.example(days=3, trips=40)
    has = spec.has(full)
    _require(
        has is True, f"{spec.name}: has(twin) must be True for the twin of the check, got {has!r}; give another twin"
    )
    view = _view(spec, full, Link())
    _require(view.name_in_link == spec.name, f"{spec.name}: the view's name_in_link is {view.name_in_link!r}")
    _require(view.label == spec.label, f"{spec.name}: the view's label is {view.label!r}, the page's {spec.label!r}")
    _require(view.notice == "", f"{spec.name}: opens with the notice {view.notice!r} on a twin with data")
    _check_answers(spec, view)
    _check_link(spec, full, view)
    _check_code(spec, view)
    _check_wrong_link(spec, full)
    for other in (FakeTwin(full.model, open_code="twin = ..."), FakeTwin(TwinModel(twin="empty"))):
        has = spec.has(other)
        _require(has is True or has is False, f"{spec.name}: has(twin) must return a bool, got {has!r}")
        if has:
            _check_answers(spec, _view(spec, other, Link()))


def _require(fits: bool, fault: str) -> None:  # noqa: FBT001  (like assert, and not removed by python -O)
    if not fits:
        raise AssertionError(fault)


def _view(spec: PageSpec, twin: TwinReader, link: Link) -> Explorer:
    """Build the view as the workspace does, with its layout."""
    view = spec.load()(twin, link=link, shared=Shared(twin), session=Session(), patient=False, open_code=None)
    _require(isinstance(view, Explorer), f"{spec.name}: expected a twinlab.explore.Explorer, got {type(view).__name__}")
    layout: Any = view.__panel__()
    # Panel makes the browser's models here: a wrong child or a wrong property shows.
    layout.get_root()
    return view


def _check_answers(spec: PageSpec, view: Explorer) -> None:
    """Check the types of what every view returns."""
    where = spec.name
    # What a view promises is what is checked here.
    answers: tuple[Any, ...] = (view.link(), view.code(), view.tables(), view.settings())
    link, code, tables, settings = answers
    _require(isinstance(link, Link), f"{where}: link() must return a twinlab.explore.Link, got {type(link).__name__}")
    _require(isinstance(code, str), f"{where}: code() must return text, got {type(code).__name__}")
    compile(code, f"<code of the page {where}>", "exec")
    _require(isinstance(tables, dict), f"{where}: tables() must return a dict, got {type(tables).__name__}")
    for name, table in tables.items():
        fits = isinstance(name, str) and hasattr(table, "columns")
        _require(fits, f"{where}: tables() must map text to a DataFrame, got {name!r}: {type(table).__name__}")
    for label, value in settings.items():
        fits = isinstance(label, str) and isinstance(value, str)
        _require(fits, f"{where}: settings() must map text to text, got {label!r}: {value!r}")
    view.data()
    view.figure(backend="bokeh")


def _check_link(spec: PageSpec, twin: TwinReader, view: Explorer) -> None:
    """Check that a link restores the state, in a new view and in one of another reader."""
    link = view.link()
    read = parse_link(format_link(link))
    _require(not read.problems, f"{spec.name}: the link of the page can't be read back: {read.problems}")
    again = _view(spec, twin, read)
    _require(again.notice == "", f"{spec.name}: its own link opens with the notice {again.notice!r}")
    fits = format_link(again.link()) == format_link(link)
    _require(fits, f"{spec.name}: {format_link(link)!r} opens the page as {format_link(again.link())!r}")
    _require(again.code() == view.code(), f"{spec.name}: a page opened by its link has other code")
    view.apply(read)
    fits = format_link(view.link()) == format_link(link)
    _require(fits, f"{spec.name}: apply(its own link) changes the page to {format_link(view.link())!r}")


def _check_wrong_link(spec: PageSpec, twin: TwinReader) -> None:
    """Check that a wrong link gives a page all the same, and touches no other reader's page."""
    other = _view(spec, twin, Link())
    before = other.link()
    wrong = Link(asset_type=_NO_SUCH, assets=(_NO_SUCH,), signals=(_NO_SUCH,), event_type=_NO_SUCH, layout=_NO_SUCH)
    view = _view(spec, twin, wrong)
    _check_answers(spec, view)
    view.apply(Link())
    view.apply(wrong)
    _require(other.link() == before, f"{spec.name}: one reader's link changes another reader's page")


def _check_code(spec: PageSpec, view: Explorer) -> None:
    """Check that the copied code gives what the page shows."""
    shown: Any = view.data()
    code = view.code()
    _require(bool(code) or shown is None, f"{spec.name}: data() returns data and code() nothing that reads them")
    if not code:
        return
    names: dict[str, Any] = {}
    exec(compile(code, f"<code of the page {spec.name}>", "exec"), names)  # noqa: S102  (what a reader runs)
    _require("data" in names, f"{spec.name}: the code must leave what it reads under the name data")
    _require(shown is not None, f"{spec.name}: code() reads data and data() returns None")
    _require(bool(shown.equals(names["data"])), f"{spec.name}: the code gives other data than the page shows")
