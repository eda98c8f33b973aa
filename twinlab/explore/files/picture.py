"""Export of a view's plot as a publication figure: SVG, or PNG at 300 dpi."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from twinlab._files import write_atomically
from twinlab.errors import SchemaError
from twinlab.explore.files.exportable import check_suffix
from twinlab.languages import tr

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from twinlab.explore.files.exportable import Exportable

__all__ = ["matplotlib_figure", "write_picture"]

DPI = 300
#: Equal input gives equal bytes: no date, no random ids.
_STYLE: dict[Any, Any] = {
    "svg.hashsalt": "twinlab",
    "svg.fonttype": "none",
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
}


def write_picture(view: Exportable, path: Path) -> Path:
    """Write the plot of a view to ``.svg`` (with text as text) or ``.png``.

    Raises
    ------
    SchemaError
        If the suffix is another, or nothing is drawn.
    """
    suffix = check_suffix(path, (".svg", ".png"), "a picture")
    # Options are accepted only for a loaded backend.
    import holoviews.plotting.mpl  # noqa: F401, PLC0415

    drawn = view.figure(backend="matplotlib")
    if drawn is None:
        msg = tr("nothing is drawn, so there is no picture to write; choose something first")
        raise SchemaError(msg)

    def write(draft: Path) -> None:
        import matplotlib as mpl  # noqa: PLC0415
        from matplotlib import pyplot as plt  # noqa: PLC0415

        with mpl.rc_context(_STYLE):
            figure = matplotlib_figure(drawn)
            metadata = {"Date": None} if suffix == ".svg" else {"Software": None}
            figure.savefig(draft, dpi=DPI, bbox_inches="tight", pad_inches=0.08, facecolor="white", metadata=metadata)
            plt.close(figure)

    return write_atomically(path, write)


def matplotlib_figure(drawn: Any) -> Figure:
    """Return a HoloViews object as a Matplotlib figure."""
    import holoviews as hv  # noqa: PLC0415
    import matplotlib as mpl  # noqa: PLC0415

    mpl.use("agg", force=False)
    return hv.renderer("matplotlib").get_plot(drawn).state
