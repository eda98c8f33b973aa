"""``twinlab alerts``: list, raise, acknowledge, snooze and replay the alerts of a twin."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from twinlab._click import Command
from twinlab.cli.commands import group, open_twin, say, twin_folder
from twinlab.cli.revisions import author_name
from twinlab.errors import HistoryConflictError, SchemaError, SourceError

if TYPE_CHECKING:
    import pandas as pd

    from twinlab.twin import Twin
    from twinlab.twin.alerting.running import AlertRound

__all__ = ["alert_lines"]

#: For each thing to do, the options that it takes; "list" is what is done without any.
_TAKES: Final = {
    "list": ("all",),
    "run": ("every",),
    "acknowledge": ("author", "note"),
    "snooze": ("until", "author"),
    "replay": ("start", "stop", "every"),
}
_NEEDS: Final = {"snooze": ("until",), "replay": ("start", "stop")}


@group.command(
    "alerts", cls=Command, after="check",
    example="twinlab alerts pilot/ --every 1min\ntwinlab alerts pilot/\n"
    "twinlab alerts pilot/ --snooze ID --until 2026-03-06T06:00 --author dora\n"
    "twinlab alerts pilot/ --replay warm_rooms --start 2026-03-01 --stop 2026-03-08",
)  # fmt: skip
@twin_folder
@click.option("--all", is_flag=True, help="List those that are over or withdrawn, too.")
@click.option("--run", is_flag=True, help="Look for exceptions once, and send what is due; 1 if a message wasn't sent.")
@click.option(
    "--every",
    metavar="STEP",
    help="Do that again and again, such as each 1min, until interrupted; of --replay, how often somebody looks.",
)
@click.option("--acknowledge", metavar="ID", help="Somebody takes care of this alert: nobody else is notified.")
@click.option("--snooze", metavar="ID", help="Send nothing of this alert until --until.")
@click.option("--until", metavar="TIME", help="End of --snooze, UTC.")
@click.option("--author", metavar="NAME", help="Who acknowledges or snoozes (default: this computer's user).")
@click.option("--note", metavar="TEXT", help="With --acknowledge: a note, shown beside the exception on all pages.")
@click.option(
    "--replay", metavar="RULE", help="List what an alert, or one of a rule, would have raised; nothing is sent."
)
@click.option("--start", metavar="TIME", help="With --replay: when somebody first looks, UTC.")
@click.option("--stop", metavar="TIME", help="With --replay: the end, not included, UTC.")
def _alerts(folder: Path, **options: Any) -> int:  # noqa: ANN401  (one value for each option above)
    """List active alerts, raise and send them, or snooze one."""
    what = _what(options)
    twin = open_twin(folder)
    if what == "list":
        _list(twin, every=options["all"])
    elif what == "run":
        return _run(twin, options["every"])
    elif what == "replay":
        table = twin.replay_alerts(options["replay"], options["start"], options["stop"], every=options["every"])
        say("\n".join(alert_lines(table)) or f"{options['replay']} would have raised nothing in this span")
    else:
        author = author_name(options["author"])
        if what == "acknowledge":
            twin.acknowledge_alert(options[what], author=author, note=options["note"])
            say(f"acknowledged {options[what]}")
        else:
            twin.snooze_alert(options[what], until=options["until"], author=author)
            row = twin.alerts().set_index("id").loc[options[what]]
            say(f"snoozed {options[what]} until {_time(row['snoozed_until'])} UTC")
    return 0


def _what(options: dict[str, Any]) -> str:
    """Return what is to be done.

    Raises
    ------
    click.UsageError
        If it is more than one thing, or an option is missing or belongs to something else.
    """
    asked = [name for name in ("run", "acknowledge", "snooze", "replay") if options[name]]
    if len(asked) > 1:
        msg = f"expected one of --run, --acknowledge, --snooze and --replay, got {' and '.join(f'--{one}' for one in asked)}."
        raise click.UsageError(msg)
    what = asked[0] if asked else "run" if options["every"] is not None else "list"
    for name in _NEEDS.get(what, ()):
        if options[name] is None:
            msg = f"--{what} needs --{name}."
            raise click.UsageError(msg)
    given = [name for name, value in options.items() if value not in (None, False) and name != what]
    for name in given:
        if name not in _TAKES[what]:
            takers = " or ".join(f"--{one}" for one, takes in _TAKES.items() if name in takes and one != "list")
            msg = f"--{name} belongs to {takers or 'the list'}."
            raise click.UsageError(msg)
    return what


def _list(twin: Twin, *, every: bool) -> None:
    table = twin.alerts(state=None if every else "active")
    if len(table):
        say("\n".join(alert_lines(table)))
    elif not twin.model.alerts:
        say("no alerts in twin.yaml; add for example  alerts: {warm_rooms: {rule: warm}}")
    else:
        say(f"no {'' if every else 'active '}alerts; twinlab alerts {twin.folder} --run looks for exceptions")


def _run(twin: Twin, every: str | None) -> int:
    """Do one round, or one after another until interrupted."""
    from twinlab.events.reading import duration_ns  # noqa: PLC0415  (each command loads its rooms only)

    if not twin.model.alerts:
        msg = "expected alerts in twin.yaml, got none; add for example  alerts: {warm_rooms: {rule: warm}}"
        raise SchemaError(msg)
    if every is None:
        done = twin.run_alerts()
        say(str(done))
        return 1 if done.failed else 0
    seconds = duration_ns(every) / 1e9
    said = ""
    for line, trouble in _rounds(twin, seconds):
        # What fails in each round again is said once.
        if line and not (trouble and line == said):
            say(f"{_now()} {line}", error=trouble)
        said = line
    return 0


def _rounds(twin: Twin, seconds: float) -> Iterator[tuple[str, bool]]:
    """Do a round each so many seconds; yield what happened, and whether it is only trouble."""
    while True:
        begun = time.monotonic()
        try:
            done = twin.run_alerts()
            yield _happened(done), not (done.raised or done.resolved or done.withdrawn or done.sent)
        except (SourceError, HistoryConflictError) as error:
            # A source, the disk or a lock: the next round looks at the same span again.
            yield f"not looked: {' '.join(str(error).split())}", True
        time.sleep(max(0.0, begun + seconds - time.monotonic()))


def _happened(done: AlertRound) -> str:
    """Return what a round did as one line; empty if that is nothing."""
    counts = {"raised": done.raised, "over": done.resolved, "withdrawn": done.withdrawn, "sent": done.sent}
    parts = [f"{number} {name}" for name, number in counts.items() if number]
    return "; ".join([", ".join(parts)] * bool(parts) + [f"not sent: {' '.join(one.split())}" for one in done.failed])


def alert_lines(table: pd.DataFrame) -> list[str]:
    """Return alerts as lines: what, since when, and what became of it; then the id."""
    lines = []
    for row in table.to_dict("records"):
        asset = row["asset"] or row["event_id"]
        state = "" if row["state"] == "active" else f"  {row['state']}"
        lines.append(f"{row['severity']}  {row['title'] or row['alert']}  {asset}{state}  {row['text']}".rstrip())
        end = f" to {_time(row['until'])}" if _time(row["until"]) else ""
        # An exception that had begun before the span that was looked at has no known start.
        facts = [f"{_time(row['since']) or 'begun earlier'}{end}, raised {_time(row['noted'])} UTC"]
        facts += ["acknowledged"] if row["acknowledged"] else []
        facts += [f"snoozed until {_time(row['snoozed_until'])}"] if _time(row["snoozed_until"]) else []
        facts += [f"withdrawn {_time(row['withdrawn'])}"] if row["state"] == "withdrawn" else []
        facts += [f"moved {row['moved']}x by later data"] if row["moved"] else []
        facts += [f"not sent: {row['failed']}"] if row["failed"] else []
        lines += [f"    {', '.join(facts)}", f"    {row['id']}"]
    return lines


def _time(at: pd.Timestamp) -> str:
    return "" if str(at) == "NaT" else str(at)[:16]


def _now() -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime())
