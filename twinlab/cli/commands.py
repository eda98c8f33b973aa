"""The command ``twinlab`` and its subcommands, but for those of modules of their own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict, TypeVar, Unpack

import click

from twinlab._click import Command, Commands, Several
from twinlab.cli.sizes import network_sizes

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from twinlab.twin import Twin

__all__ = ["group", "main", "open_twin", "path_option", "say", "twin_folder"]

F = TypeVar("F", bound=Callable[..., Any])


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Parameters
    ----------
    arguments : sequence of str, optional
        What follows ``twinlab``; by default the arguments of this process.

    Returns
    -------
    int
        Exit code: 0 done, 1 an error that was explained, 2 wrong usage, 130 interrupted.
    """
    try:
        return int(group.main(arguments, prog_name="twinlab", standalone_mode=False) or 0)
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        return error.exit_code
    except click.UsageError as error:
        command = error.ctx.command_path if error.ctx else "twinlab"
        say(f"{command}: {error.format_message()} See: {command} --help", error=True)
        return error.exit_code
    except click.Abort:
        say("stopped", error=True)
        return 130


def say(text: str, *, error: bool = False) -> None:
    """Print a text, or an error."""
    click.echo(text, err=error)


def path_option(*names: str, **settings: Any) -> Callable[[F], F]:  # noqa: ANN401  (passed to click)
    """Return the decorator of an option or an argument that is a path. A missing file is reported by what reads it."""
    decorator = click.option if names[0].startswith("-") else click.argument
    return decorator(*names, type=click.Path(path_type=Path), **settings)


twin_folder = path_option("folder", help="Folder of the twin.")


class _Serving(TypedDict):
    """Values of the options of every command that serves pages."""

    port: int
    address: str
    cert: Path | None
    key: Path | None
    users: Path | None
    oidc: Path | None
    warm: bool
    no_browser: bool
    metrics: str | None
    workers: int


def _serving(workers: int) -> Callable[[F], F]:
    """Return the decorator that adds the options of every command that serves pages."""
    number = click.option(
        "--workers", type=click.IntRange(min=1), default=workers, metavar="N", show_default=True,
        help="Processes that serve pages: readers of one don't wait for those of another.",
    )  # fmt: skip
    return lambda command: _served(number(command))


def _served(command: F) -> F:
    for option in reversed((
        click.option("--port", type=int, default=0, metavar="N", help="Port to serve on (default: a free one)."),
        click.option("--address", default="127.0.0.1", metavar="HOST",
                     help="Address to serve on; one that others can reach needs the next three options."),
        path_option("--cert", metavar="PEM", help="Certificate; the pages are then served with TLS."),
        path_option("--key", metavar="PEM", help="The certificate's key, without a passphrase."),
        path_option("--users", metavar="FILE", help="Who may log in, see: twinlab user --help"),
        path_option("--oidc", metavar="FILE", help="Login with OpenID Connect, beside --users or instead of it."),
        click.option("--warm", is_flag=True, help="Build the pages before the first request, which is then quick."),
        click.option("--no-browser", is_flag=True, help="Print the address only."),
        click.option("--metrics", metavar="[HOST:]PORT", help="Address for /health and /metrics, as of twinlab run."),
    )):  # fmt: skip
        command = option(command)
    return command


@click.group(cls=Commands, epilog="Start with: twinlab demo", context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--traceback", is_flag=True, help="Show where an error came from.")
def group(*, traceback: bool) -> None:
    """Build, trust, explore and use a digital twin."""


def _demo_names(_ctx: click.Context, _parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    from click.shell_completion import CompletionItem  # noqa: PLC0415  (loaded when a shell asks only)

    return [CompletionItem(name) for name in ("nyc", "parcel") if name.startswith(incomplete)]


@group.command(
    "demo", cls=Command,
    example="twinlab demo nyc --no-browser --port 5006\ntwinlab demo parcel --weeks 2 --parcels 1000\n"
    "twinlab demo parcel --live",
)  # fmt: skip
@click.argument(
    "name", default="nyc", shell_complete=_demo_names,
    help="nyc: the air network of New York, 2013 (default); parcel: a generated parcel network with known truth.",
)  # fmt: skip
@click.option("--fresh", is_flag=True, help="Build it again.")
@click.option(
    "--live", is_flag=True, help="parcel: a plant with servers that runs now, a historian that follows it, the page."
)
@click.option("--small", is_flag=True, help="parcel: 12 trucks, 2 weeks, built in seconds; the next options change it.")
@network_sizes("parcel: ")
@click.option("--start", metavar="DAY", help="parcel: first day, a Monday (default: 2026-01-05; small: 2026-03-23).")
@_serving(workers=1)
def _demo(
    name: str, *, fresh: bool, live: bool, small: bool, weeks: int | None, parcels: int | None, trucks: int | None, rooms: int | None,
    forklifts: int | None, hubs: int | None, seed: int | None, start: str | None, failures: bool, **serving: Unpack[_Serving],
) -> None:  # fmt: skip
    """Build a demo twin once and open its page."""
    from twinlab.demos import DEMOS, demo, parcel_size  # noqa: PLC0415  (each command loads its rooms only)

    size = parcel_size(
        small=small, hubs=hubs, trucks=trucks, cold_rooms=rooms, forklifts=forklifts, parcels_a_week=parcels,
        weeks=weeks, seed=seed, start=start, failures=failures,
    )  # fmt: skip
    if live:
        from twinlab.demos.live import live_demo  # noqa: PLC0415

        with live_demo(name, size) as running:
            say(f"Plant and historian run; their logs are in {running.folder}. The twin: {running.twin.folder}")
            _serve_pages(running.twin, **serving)
        return
    if name in DEMOS:
        say(f"The twin {name!r} is built once and then stays in your cache.")
    twin = demo(name, size=size, fresh=fresh)
    # The page comes first: a summary reads every event table.
    say(f"Its folder is {twin.folder}; what it contains: twinlab status {twin.folder}")
    _serve_pages(twin, **serving)


@group.command(
    "create", cls=Command,
    example="twinlab create pilot/ --from fridges.csv dispatch.xlsx\ntwinlab ingest pilot/ fridges.csv dispatch.xlsx",
)  # fmt: skip
@twin_folder
@path_option("--from", "files", cls=Several, metavar="FILE...", help="Files to draft the twin from.")
@path_option("--model", metavar="FILE", help="Instead of files: a twin.yaml that exists already.")
@path_option("--mapping", cls=Several, metavar="PATH...", help="Mapping files or folders of them, with --model.")
def _create(folder: Path, *, files: tuple[Path, ...], model: Path | None, mapping: tuple[Path, ...]) -> None:
    """Draft a twin from your own files, for you to edit."""
    from twinlab.twin import checklist, create  # noqa: PLC0415

    if bool(files) == (model is not None):
        msg = "expected either --from FILE... or --model FILE."
        raise click.UsageError(msg)
    twin = create(folder, model=model, mappings=mapping or None, files=files or None)
    written = "\n".join(f"  {path}" for path in [folder / "twin.yaml", *sorted((folder / "mapping").glob("*.yaml"))])
    given = " ".join(map(str, files or ["FILES"]))
    asked = [f"  {line}" for line in checklist(twin.open_questions())]
    head = "Open questions; state each in its file:" if asked else "No question is open."
    say("\n".join(["wrote", written, head, *asked, f"Then:\n  twinlab ingest {folder} {given}"]))


@group.command("ingest", cls=Command, example="twinlab ingest pilot/ fridges.csv")
@twin_folder
@path_option("files", nargs=-1, required=True, help="Files to read.")
@click.option("--strict", is_flag=True, help="Refuse while a unit, a zone or another question is open.")
def _ingest(folder: Path, files: tuple[Path, ...], *, strict: bool) -> None:
    """Add files to a twin and bring its history up to date."""
    say(open_twin(folder).ingest(*files, strict=strict).text())


@group.command("serve", cls=Command, example="twinlab serve pilot/ --port 5006")
@twin_folder
@_serving(workers=2)
def _serve(folder: Path, **serving: Unpack[_Serving]) -> None:
    """Serve a twin's pages to this machine, or to others with a login."""
    _serve_pages(folder, **serving)


def _serve_pages(twin: Twin | Path, **serving: Unpack[_Serving]) -> None:
    """Serve a twin, or the one in a folder, from this process; or from several, which open it themselves."""
    from twinlab.apps import serve, serve_folder  # noqa: PLC0415

    given: dict[str, Any] = {
        "port": serving["port"], "address": serving["address"], "users": serving["users"], "oidc": serving["oidc"], "certificate": serving["cert"],
        "key": serving["key"], "open_browser": not serving["no_browser"], "warm": serving["warm"], "metrics": serving["metrics"],
        "ready": lambda served: _say_where(served.url, serving),
    }  # fmt: skip
    if serving["workers"] > 1:
        serve_folder(twin if isinstance(twin, Path) else twin.folder, workers=serving["workers"], **given)
    else:
        serve(open_twin(twin) if isinstance(twin, Path) else twin, **given)


def _say_where(url: str, serving: _Serving) -> None:
    who = "this machine only" if serving["users"] is None and serving["oidc"] is None else "after login"
    say(f"\n{url}\n({who}; stop with Ctrl+C)")


@group.command(
    "user", cls=Command,
    example="twinlab user add users.json dora --role dispatcher\n"
    "twinlab serve pilot/ --address 0.0.0.0 --port 8443 --cert cert.pem --key key.pem --users users.json",
)  # fmt: skip
@click.argument("what", type=click.Choice(("add", "passwd", "remove", "list", "token", "revoke")), help="What to do.")
@path_option("file", help="The users file; add makes it.")
@click.argument("name", required=False, help="The user; list needs none.")
@click.option(
    "--role",
    "roles",
    multiple=True,
    help="viewer (default), dispatcher, analyst, steward, planner, operator, security, admin; can be repeated.",
)
@click.option("--stdin", is_flag=True, help="Read the password from the first line of standard input.")
@click.option("--days", type=int, default=90, show_default=True, help="How long a token is valid.")
def _user(what: str, file: Path, name: str | None, *, roles: tuple[str, ...], stdin: bool, days: int) -> None:
    """Manage the users who may log in to a served twin, and their tokens for programs."""
    if what in ("token", "revoke"):
        from twinlab.apps.login.tokens.token_command import manage_tokens  # noqa: PLC0415

        say(manage_tokens(what, file, name=name, days=days))
        return
    from twinlab.apps.login.user_command import manage_users  # noqa: PLC0415

    say(manage_users(what, file, name=name, roles=roles or None, stdin=stdin))


@group.command("status", cls=Command, example="twinlab status pilot/")
@twin_folder
def _status(folder: Path) -> None:
    """Show assets, signals, freshness, coverage, bytes, and what storage will cost."""
    twin = open_twin(folder)
    say(f"{twin!r}\n{twin.reader.status()}")
    if (forecast := twin.forecast_storage()).price is None:  # with a price, the summary has it
        say(forecast.line)
    if (found := twin.store_status()) is not None:
        say(str(found))


@group.command(
    "check", cls=Command,
    example="twinlab check pilot/\ntwinlab check pilot/ --since 2026-03-01 --assets B2 B7 --json report.json",
)  # fmt: skip
@twin_folder
@click.option("--since", metavar="TIME", help="First instant to check, UTC.")
@click.option("--until", metavar="TIME", help="End, not included, UTC.")
@click.option("--types", cls=Several, metavar="NAME...", help="Asset types to check (default: all).")
@click.option("--signals", cls=Several, metavar="NAME...", help="Signals to check (default: all).")
@click.option("--assets", cls=Several, metavar="ID...", help="Assets to report (default: all).")
@path_option(
    "--json",
    "table",
    metavar="FILE",
    help="Write the findings there as JSON, too; - writes only that, to the terminal.",
)
def _check(
    folder: Path, *, since: str | None, until: str | None, types: tuple[str, ...], signals: tuple[str, ...],
    assets: tuple[str, ...], table: Path | None,
) -> None:  # fmt: skip
    """Find what is wrong with a twin's data, since when, and the line that fixes it."""
    report = open_twin(folder).check(
        start=since, stop=until, asset_types=types or None, signals=signals or None, assets=assets or None
    )
    if table is not None and str(table) == "-":
        say(report.to_json())
        return
    say(report.text())
    if table is not None:
        table.write_text(report.to_json() + "\n", encoding="utf-8")
        say(f"wrote {table}")


@group.command("verify", cls=Command, example="twinlab verify pilot/")
@twin_folder
def _verify(folder: Path) -> int:
    """Read everything again and check every checksum."""
    report = open_twin(folder).verify()
    say(str(report))
    return 0 if report.ok else 1


@group.command("rebuild", cls=Command, example="twinlab rebuild pilot/")
@twin_folder
def _rebuild(folder: Path) -> None:
    """Build the history again from the ledger."""
    say(str(open_twin(folder).rebuild()))


@group.command("compact", cls=Command, example="twinlab compact pilot/\ntwinlab compact pilot/ --apply-retention")
@twin_folder
@click.option("--apply-retention", is_flag=True, help="First do what retention: and storage: say, once you confirm it.")
@click.option("--dry-run", is_flag=True, help="With --apply-retention: only show what would change.")
@click.option("--yes", is_flag=True, help="With --apply-retention: don't ask.")
def _compact(folder: Path, **retention: bool) -> int:
    """Do all housekeeping at once: publish, compact, seal, remove old states; and older cells, if you ask for it."""
    from twinlab.twin.retention.command import apply_asked  # noqa: PLC0415

    if (done := apply_asked(twin := open_twin(folder), say, click.confirm, **retention)) is None:
        say(str(twin.compact()))
    return done or 0


@group.command(
    "export", cls=Command,
    example="twinlab export pilot/ room rooms.parquet --step 1h\ntwinlab export pilot/ kpi/uptime kpi.xlsx --by hub",
)  # fmt: skip
@twin_folder
@click.argument("what", help="An asset type, an event type or a finder, or a KPI: kpi/cold_chain.")
@path_option("target", help="File ending in .zarr, .parquet, .csv or .xlsx.")
@click.option("--signals", cls=Several, metavar="NAME...", help="Signals to write (default: all).")
@click.option("--start", metavar="TIME", help="First instant, UTC.")
@click.option("--stop", metavar="TIME", help="End, not included, UTC.")
@click.option("--step", metavar="STEP", help="Rollup such as 1h (default: the signals' own); of a KPI its windows.")
@click.option("--by", metavar="GROUP", help="KPIs: property, relationship, link or asset type to group by.")
@click.option("--calibrated", is_flag=True, help="Write calibrated values beside those of each gauge, too.")
@click.option("--annotated", is_flag=True, help="Write what people have accepted or rejected, too.")
def _export(folder: Path, what: str, target: Path, *, signals: tuple[str, ...], **how: Any) -> None:  # noqa: ANN401
    """Write data to a Zarr, Parquet, CSV or Excel file."""
    path = open_twin(folder).export(what, target, signals=signals or None, **how)
    say(f"wrote {path}")


@group.command("notebook", cls=Command, example="twinlab notebook pilot/")
@twin_folder
@path_option("--to", metavar="PATH", help="Notebook or folder (default: beside the twin); nothing is overwritten.")
@click.option("--no-lab", is_flag=True, help="Write the notebook only.")
@click.option("--port", type=int, default=0, metavar="N", help="Port on 127.0.0.1 (default: a free one).")
@click.option("--no-browser", is_flag=True, help="Print the address only.")
def _notebook(folder: Path, *, to: Path | None, no_lab: bool, port: int, no_browser: bool) -> int:
    """Write a starter notebook and open it in JupyterLab."""
    from twinlab.twin.starter import write_starter  # noqa: PLC0415

    path = write_starter(open_twin(folder), to)
    say(f"wrote {path}")
    if no_lab:
        return 0
    from twinlab.apps.server.lab import open_lab  # noqa: PLC0415

    return open_lab(path, port=port, browser=not no_browser)


@group.command("tutorials", cls=Command, example="twinlab tutorials learn/")
@path_option("folder", help="Folder to copy to.")
@click.option("--overwrite", is_flag=True, help="Replace notebooks that you have changed, too.")
def _tutorials(folder: Path, *, overwrite: bool) -> None:
    """Copy the tutorial notebooks to a folder."""
    from twinlab.twin.tutorials import copy_tutorials  # noqa: PLC0415

    done = copy_tutorials(folder, overwrite=overwrite)
    for path in done.copied:
        say(f"copied {path}")
    for path in done.kept:
        say(f"kept {path}: it differs from the tutorial; --overwrite replaces it")
    say(f"open them with: jupyter lab {folder}")


@group.command(
    "completion", cls=Command,
    example="""eval "$(twinlab completion bash)"    # a line for ~/.bashrc
eval "$(twinlab completion zsh)"     # a line for ~/.zshrc
twinlab completion fish > ~/.config/fish/completions/twinlab.fish""",
)  # fmt: skip
@click.argument("shell", type=click.Choice(("bash", "zsh", "fish")), help="The shell that you use.")
def _completion(shell: str) -> None:
    """Print a script for completion in bash, zsh or fish."""
    from click.shell_completion import get_completion_class  # noqa: PLC0415

    made = get_completion_class(shell)
    assert made is not None
    say(made(group, {}, "twinlab", "_TWINLAB_COMPLETE").source())


def open_twin(folder: Path) -> Twin:
    """Return the twin in a folder, or at an address, whose slashes a path has lost."""
    from twinlab import twin  # noqa: PLC0415  (loads the rooms)
    from twinlab.objects.address import address_in  # noqa: PLC0415

    return twin.open_twin(address_in(folder) or folder)
