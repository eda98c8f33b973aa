"""A view's plot as a publication figure: SVG, or PNG at 300 dots an inch."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from twinlab.errors import SchemaError
from twinlab.explore.files.atomic_write import check_suffix, write_atomically

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from twinlab.explore.files.exportable import Exportable

__all__ = ["matplotlib_figure", "write_picture"]

DOTS_AN_INCH = 300
#: Equal input gives equal bytes: no date, and ids that don't come by chance.
_STYLE: dict[Any, Any] = {
    "svg.hashsalt": "twinlab",
    "svg.fonttype": "none",
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
}


def write_picture(view: Exportable, path: Path) -> Path:
    """Write a view's plot to ``.svg`` (texts stay texts) or ``.png``.

    Raises
    ------
    SchemaError
        If the ending is neither of those, or nothing is drawn.
    """
    ending = check_suffix(path, (".svg", ".png"), "a picture")
    # Options can be given for a backend only once it's loaded.
    import holoviews.plotting.mpl  # noqa: F401, PLC0415

    drawn = view.figure(backend="matplotlib")
    if drawn is None:
        msg = "nothing is drawn, so there is no picture to write; choose something first"
        raise SchemaError(msg)

    def write(draft: Path) -> None:
        import matplotlib as mpl  # noqa: PLC0415
        from matplotlib import pyplot as plt  # noqa: PLC0415

        with mpl.rc_context(_STYLE):
            figure = matplotlib_figure(drawn)
            metadata = {"Date": None} if ending == ".svg" else {"Software": None}
            figure.savefig(
                draft, dpi=DOTS_AN_INCH, bbox_inches="tight", pad_inches=0.08, facecolor="white", metadata=metadata
            )
            plt.close(figure)

    return write_atomically(path, write)


def matplotlib_figure(drawn: Any) -> Figure:
    """Return a HoloViews object as a Matplotlib figure."""
    import holoviews as hv  # noqa: PLC0415
    import matplotlib as mpl  # noqa: PLC0415

    mpl.use("agg", force=False)
    return hv.renderer("matplotlib").get_plot(drawn).state
