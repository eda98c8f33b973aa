"""The plan of a pilot in words: a checklist by week, and the cells of its notebook."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from twinlab.languages import date_text, tr
from twinlab.pilots.estimates import FEWEST
from twinlab.pilots.measures import DEFINITIONS, LABELS

if TYPE_CHECKING:
    from twinlab.pilots.settings import PilotSettings

__all__ = ["checklist_text", "notebook_cells"]


def checklist_text(settings: PilotSettings, folder: Path) -> str:
    """Return the checklist as Markdown: what is to be done by when, and by whom."""
    begins, ends = (date.fromisoformat(day) for day in (settings.during.first, settings.during.last))
    middle = begins + timedelta(days=7)
    parts = [
        f"# {tr('Pilot: {title}', title=settings.title)}",
        tr("Two weeks of measuring, then two weeks of pilot. Days and times are of the zone {zone}.", zone=settings.zone),
        _part(
            tr("Before {day}: agree", day=date_text(date.fromisoformat(settings.before.first))),
            [
                tr("Three questions that the pilot answers, and what is done differently then (questions in pilot.yaml)."),
                tr("Who takes part, by role: somebody who decides, somebody who uses it each day, somebody who knows the data (people)."),
                tr("Which files or sources the twin is made of, and who sends them (files)."),
                tr("What is aimed at, for each measure, before anybody has seen a number (aims)."),
                tr("The twin has the data: twinlab ingest, twinlab check without findings that nobody understands."),
                tr("twin.yaml states alerts for the exceptions of the questions."),
            ],
        ),
        _part(
            tr("{a} to {b}: measure how it is without the twin", a=date_text(date.fromisoformat(settings.before.first)), b=date_text(date.fromisoformat(settings.before.last))),
            [
                tr("Each search with a stopwatch: a row of measurements.csv (time_to_find, day, value, s or min, who measured). At least {fewest}; twenty are better.", fewest=FEWEST),
                tr("Each day the minutes spent on cleaning data (cleaning_time)."),
                tr("Each day the alarms of today's systems, and how many were none (alarms, false_alarms; no unit)."),
                tr("Each complaint of a customer: a row of complaints.csv with its time, what it is about (such as parcel/P17), and when you had noticed it yourselves, if you had."),
                tr("On the last day: twinlab pilot {folder} --baseline writes the baseline into the twin's journal, so that nobody can doubt it later.", folder=folder.name),
            ],
        ),
        _part(
            tr("{a} to {b}: the pilot", a=date_text(begins), b=date_text(ends)),
            [
                tr("Alerts are looked for all the time: twinlab run, or twinlab alerts TWIN --every 1min."),
                tr("Each alert gets a verdict on page Now: accept or reject. What has none widens the interval of false alarms."),
                tr("Searches, minutes and complaints are written down as before. Alarms aren't: the twin counts them."),
                tr("{day}: look at the measures together (twinlab pilot {folder}); change nothing that is measured.", day=date_text(middle), folder=folder.name),
            ],
        ),
        _part(
            tr("After {day}: decide", day=date_text(ends)),
            [
                tr("Give the last verdicts, enter the last complaints."),
                tr("twinlab pilot {folder} --report report.html writes the report for the steering committee.", folder=folder.name),
                tr("Go on, change something and measure again, or stop: the report has the aims beside the numbers, and what isn't known."),
            ],
        ),
        f"## {tr('How each number is defined')}\n\n" + "\n".join(f"- **{tr(label)}**: {tr(DEFINITIONS[name])}" for name, label in LABELS.items()),
    ]  # fmt: skip
    return "\n\n".join(parts) + "\n"


def _part(title: str, items: list[str]) -> str:
    return "\n".join([f"## {title}", "", *(f"- [ ] {one}" for one in items)])


def notebook_cells(settings: PilotSettings) -> list[tuple[str, str]]:
    """Return (kind, text) of the notebook's cells; it is beside ``pilot.yaml``."""
    return [
        ("markdown", f"# {tr('Pilot: {title}', title=settings.title)}\n\n" + tr("Run the cells in order (Shift+Enter). checklist.md says what is to be done by when.")),
        ("code", 'import twinlab as tl\n\npilot = tl.pilot(".")\npilot'),
        ("markdown", f"## {tr('What is still to do')}"),
        ("code", "pilot.open_items()"),
        ("markdown", f"## {tr('The questions, answered by the twin')}\n\n" + tr("With the plan of each answer as Python; “I can't tell” comes with its reason.")),
        ("code", 'for one in pilot.answers():\n    print(one.question, one.answer, sep="\\n", end="\\n\\n")'),
        ("markdown", f"## {tr('The baseline')}\n\n" + tr("What people entered, each row with its source. Run the second cell on the last day before the pilot.")),
        ("code", "pilot.entered"),
        ("code", "# pilot.note_baseline()"),
        ("markdown", f"## {tr('Before and during the pilot')}\n\n" + tr("Values with intervals of 95 %, and what isn't known.")),
        ("code", "pilot.table()"),
        ("markdown", f"## {tr('What the twin found')}"),
        ("code", 'pilot.alerts[["noted", "title", "asset", "event_id", "text", "judged", "by"]]'),
        ("code", "pilot.found"),
        ("markdown", f"## {tr('The report for the steering committee')}"),
        ("code", 'pilot.report("report.html")'),
    ]  # fmt: skip
