"""`Pilot`: a folder with ``pilot.yaml`` and what people entered, its measures, and its report."""

from __future__ import annotations

from pathlib import Path

from twinlab.pilots.contents import PilotContents

__all__ = ["Pilot", "open_pilot"]


class Pilot(PilotContents):
    """A pilot: its measures, and what they say as text, as HTML and as a report. Made by `open_pilot`."""

    def report(self, path: str | Path) -> Path:
        """Write the closing report as one HTML file, which opens without a network and prints on paper.

        Raises
        ------
        SchemaError
            If the suffix isn't ``.html``, or a row of what people entered is wrong.
        """
        from twinlab.pilots.report import write_report  # noqa: PLC0415  (measures need no HTML)

        return write_report(self, Path(path))

    def text(self) -> str:
        """Return the measures and what is open as text for a terminal."""
        from twinlab.pilots.texts import pilot_text  # noqa: PLC0415

        return pilot_text(self)

    __str__ = text

    def __repr__(self) -> str:
        return f"<Pilot {self.folder.name}: {self.settings.during.first} to {self.settings.during.last}>"

    def _repr_html_(self) -> str:
        from twinlab.pilots.report import summary_html  # noqa: PLC0415

        return str(summary_html(self))


def open_pilot(folder: str | Path, *, now: object = None) -> Pilot:
    """Open the pilot in a folder.

    Parameters
    ----------
    folder : path or str
        As ``twinlab pilot FOLDER --twin TWIN`` writes it.
    now : instant, optional
        Naive is UTC; by default the present.

    Raises
    ------
    SourceError
        If the folder has no ``pilot.yaml``.
    SchemaError
        If that is wrong; a line for each fault.
    """
    return Pilot(Path(folder), now=now)
