"""One command, ``twinlab``; errors are one line unless ``--traceback`` asks for more."""

from __future__ import annotations

import argparse
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from twinlab.errors import TwinlabError

if TYPE_CHECKING:
    from twinlab.twin import Twin

    Commands = argparse._SubParsersAction[argparse.ArgumentParser]  # noqa: SLF001  (argparse names no public type)

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code (0 done, 1 an error that was explained, 2 wrong usage)."""
    parser = _parser()
    options = parser.parse_args(arguments)
    try:
        return int(options.run(options) or 0)
    except (TwinlabError, OSError) as error:
        if options.traceback:
            traceback.print_exc()
        _say(f"twinlab: {error}", error=True)
        return 1
    except KeyboardInterrupt:
        _say("stopped", error=True)
        return 130
    except Exception as error:  # noqa: BLE001  (the last line of defence: people get a sentence, not a traceback)
        if options.traceback:
            traceback.print_exc()
        what = f"{type(error).__name__}: {error}".splitlines()[0]
        _say(
            f"twinlab: this went wrong and shouldn't have: {what}\nRun it again as `twinlab --traceback …` and report it.",
            error=True,
        )
        return 1


def _say(text: str, *, error: bool = False) -> None:
    stream = sys.stderr if error else sys.stdout
    stream.write(text + "\n")
    stream.flush()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="twinlab", description="Build, trust, explore and use a digital twin.",
        epilog="start with: twinlab demo", formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("--traceback", action="store_true", help="show where an error came from")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for adder in (
        _add_demo,
        _add_create,
        _add_ingest,
        _add_serve,
        _add_user,
        _add_status,
        _add_verify,
        _add_rebuild,
        _add_export,
        _add_notebook,
        _add_tutorials,
    ):
        adder(commands)
    return parser


def _command(commands: Commands, name: str, text: str, example: str) -> argparse.ArgumentParser:
    return commands.add_parser(
        name, help=text, description=text, epilog=f"example:\n  {example}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip


def _serving(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--port", type=int, default=0, help="port to serve on (default: a free one)")
    parser.add_argument(
        "--address", default="127.0.0.1", help="address to serve on; one that others reach needs the next three"
    )
    parser.add_argument("--cert", type=Path, metavar="PEM", help="certificate; the page is then served with TLS")
    parser.add_argument("--key", type=Path, metavar="PEM", help="the certificate's key, without a passphrase")
    parser.add_argument("--users", type=Path, metavar="FILE", help="who may log in, see: twinlab user")
    parser.add_argument(
        "--warm", action="store_true", help="build the pages before answering: the first one is then quick"
    )
    parser.add_argument("--no-browser", action="store_true", help="print the address only")


#: Options of `twinlab demo parcel`.
_SIZES = {
    "weeks": "weeks (default: 13)",
    "parcels": "parcels a week (default: 20,000)",
    "trucks": "trucks (default: 150)",
    "rooms": "cold rooms (default: 40)",
    "forklifts": "forklifts (default: 60)",
    "hubs": "hubs (default: 12)",
    "seed": "another seed, another network (default: 1)",
}


def _add_demo(commands: Commands) -> None:
    parser = _command(
        commands, "demo", "build a demo twin once and open its page",
        "twinlab demo nyc --no-browser --port 5006\n  twinlab demo parcel --weeks 2 --parcels 1000",
    )  # fmt: skip
    parser.add_argument(
        "name", nargs="?", default="nyc",
        help="nyc: the air network of New York, 2013 (default); parcel: a generated parcel network with known truth",
    )  # fmt: skip
    parser.add_argument("--fresh", action="store_true", help="build it again")
    size = parser.add_argument_group("size of the parcel network")
    size.add_argument("--small", action="store_true", help="12 trucks, 2 weeks: built in seconds; the rest adds to it")
    for name, text in _SIZES.items():
        size.add_argument(f"--{name}", type=int, metavar="N", help=text)
    size.add_argument("--start", metavar="DAY", help="first day, a Monday (default: 2026-01-05; small: 2026-03-23)")
    _serving(parser)
    parser.set_defaults(run=_demo)


def _demo(options: argparse.Namespace) -> None:
    from twinlab.demos import DEMOS, demo, parcel_size  # noqa: PLC0415  (each command loads its rooms only)

    size = parcel_size(
        small=options.small, hubs=options.hubs, trucks=options.trucks, cold_rooms=options.rooms,
        forklifts=options.forklifts, parcels_a_week=options.parcels, weeks=options.weeks, seed=options.seed,
        start=options.start,
    )  # fmt: skip
    if options.name in DEMOS:
        _say(f"The twin {options.name!r} is built once and then kept in your cache.")
    twin = demo(options.name, size=size, fresh=options.fresh)
    # The page comes first: a summary reads every event table.
    _say(f"It stands in {twin.folder}; what's in it: twinlab status {twin.folder}")
    _serve_twin(twin, options)


def _add_create(commands: Commands) -> None:
    parser = _command(
        commands, "create", "draft a twin from your own files, for you to edit",
        "twinlab create pilot/ --from fridges.csv dispatch.xlsx\n  twinlab ingest pilot/ fridges.csv dispatch.xlsx",
    )  # fmt: skip
    parser.add_argument("folder", type=Path)
    group = parser.add_mutually_exclusive_group(required=True)
    group.add_argument("--from", dest="files", nargs="+", type=Path, metavar="FILE", help="files to draft from")
    group.add_argument("--model", type=Path, help="a twin.yaml that stands already")
    parser.add_argument("--mapping", type=Path, nargs="*", default=None, help="mapping files or folders, with --model")
    parser.set_defaults(run=_create)


def _create(options: argparse.Namespace) -> None:
    from twinlab.twin import create  # noqa: PLC0415

    create(options.folder, model=options.model, mappings=options.mapping, files=options.files)
    folder = options.folder
    written = "\n".join(f"  {path}" for path in [folder / "twin.yaml", *sorted((folder / "mapping").glob("*.yaml"))])
    files = " ".join(map(str, options.files or ["FILES"]))
    _say(
        f"wrote\n{written}\nRead them (units and zones that the files don't state are marked), then:\n  twinlab ingest {folder} {files}"
    )


def _add_ingest(commands: Commands) -> None:
    parser = _command(
        commands, "ingest", "keep files in a twin and bring its history up to date", "twinlab ingest pilot/ fridges.csv"
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("files", nargs="+", type=Path)
    parser.set_defaults(run=_ingest)


def _ingest(options: argparse.Namespace) -> None:
    _say(_open(options).ingest(*options.files).text())


def _add_serve(commands: Commands) -> None:
    parser = _command(
        commands,
        "serve",
        "serve a twin's page, to this machine or with a login to others",
        "twinlab serve pilot/ --port 5006",
    )
    parser.add_argument("folder", type=Path)
    _serving(parser)
    parser.set_defaults(run=lambda options: _serve_twin(_open(options), options))


def _serve_twin(twin: Twin, options: argparse.Namespace) -> None:
    from twinlab.apps import serve  # noqa: PLC0415

    who = "this machine only" if options.users is None else "after login"
    serve(
        twin,
        port=options.port,
        address=options.address,
        users=options.users,
        certificate=options.cert,
        key=options.key,
        open_browser=not options.no_browser,
        warm=options.warm,
        ready=lambda served: _say(f"\n{served.url}\n({who}; stop with Ctrl+C)"),
    )


def _add_user(commands: Commands) -> None:
    parser = _command(
        commands, "user", "who may log in to a served twin",
        "twinlab user add users.json dora --role dispatcher\n"
        "  twinlab serve pilot/ --address 0.0.0.0 --port 8443 --cert cert.pem --key key.pem --users users.json",
    )  # fmt: skip
    parser.add_argument("what", choices=("add", "passwd", "remove", "list"))
    parser.add_argument("file", type=Path, help="the users file; add makes it")
    parser.add_argument("name", nargs="?", help="everybody but for list")
    parser.add_argument(
        "--role", action="append", help="viewer (default), dispatcher, analyst, steward or admin; may be repeated"
    )
    parser.add_argument("--stdin", action="store_true", help="read the password from the first line of standard input")
    parser.set_defaults(run=_user)


def _user(options: argparse.Namespace) -> None:
    from twinlab.apps.login.user_command import manage_users  # noqa: PLC0415

    _say(manage_users(options.what, options.file, name=options.name, roles=options.role, stdin=options.stdin))


def _add_status(commands: Commands) -> None:
    parser = _command(commands, "status", "assets, signals, freshness, coverage, bytes", "twinlab status pilot/")
    parser.add_argument("folder", type=Path)
    parser.set_defaults(run=_status)


def _status(options: argparse.Namespace) -> None:
    twin = _open(options)
    _say(repr(twin))
    _say(str(twin.reader.status()))


def _add_verify(commands: Commands) -> None:
    parser = _command(commands, "verify", "read everything again and check every checksum", "twinlab verify pilot/")
    parser.add_argument("folder", type=Path)
    parser.set_defaults(run=_verify)


def _verify(options: argparse.Namespace) -> int:
    report = _open(options).verify()
    _say(str(report))
    return 0 if report.ok else 1


def _add_rebuild(commands: Commands) -> None:
    parser = _command(
        commands,
        "rebuild",
        "build history anew from the ledger, with the mappings as they stand",
        "twinlab rebuild pilot/",
    )
    parser.add_argument("folder", type=Path)
    parser.set_defaults(run=lambda options: _say(str(_open(options).rebuild())))


def _add_export(commands: Commands) -> None:
    parser = _command(
        commands, "export", "take data out: Zarr, Parquet, CSV or Excel, by the file's ending",
        "twinlab export pilot/ cold_room rooms.parquet --start 2026-03-01 --step 1h\n  twinlab export pilot/ cold_room rooms.zarr",
    )  # fmt: skip
    parser.add_argument("folder", type=Path)
    parser.add_argument("what", help="an asset type or an event type of the twin")
    parser.add_argument("target", type=Path, help="file ending in .zarr .parquet .csv .xlsx")
    parser.add_argument("--signals", nargs="+")
    parser.add_argument("--start")
    parser.add_argument("--stop")
    parser.add_argument("--step")
    parser.set_defaults(run=_export)


def _export(options: argparse.Namespace) -> None:
    twin = _open(options)
    path = twin.export(
        options.what, options.target, signals=options.signals, start=options.start, stop=options.stop, step=options.step
    )
    _say(f"wrote {path}")


def _add_notebook(commands: Commands) -> None:
    parser = _command(
        commands, "notebook", "write a starter notebook for a twin and open it in JupyterLab", "twinlab notebook pilot/"
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--to", type=Path, help="notebook or folder (default: beside the twin); nothing is overwritten")
    parser.add_argument("--no-lab", action="store_true", help="write the notebook only")
    parser.add_argument("--port", type=int, default=0, help="port on 127.0.0.1 (default: a free one)")
    parser.add_argument("--no-browser", action="store_true", help="print the address only")
    parser.set_defaults(run=_notebook)


def _notebook(options: argparse.Namespace) -> int:
    from twinlab.twin.starter import write_starter  # noqa: PLC0415

    path = write_starter(_open(options), options.to)
    _say(f"wrote {path}")
    if options.no_lab:
        return 0
    from twinlab.apps.server.lab import open_lab  # noqa: PLC0415

    return open_lab(path, port=options.port, browser=not options.no_browser)


def _add_tutorials(commands: Commands) -> None:
    parser = _command(
        commands, "tutorials", "copy the tutorial notebooks to a folder of yours", "twinlab tutorials learn/"
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--overwrite", action="store_true", help="replace notebooks that you have changed, too")
    parser.set_defaults(run=_tutorials)


def _tutorials(options: argparse.Namespace) -> None:
    from twinlab.twin.tutorials import copy_tutorials  # noqa: PLC0415

    done = copy_tutorials(options.folder, overwrite=options.overwrite)
    for path in done.copied:
        _say(f"copied {path}")
    for path in done.kept:
        _say(f"kept {path}: it differs from the tutorial; --overwrite replaces it")
    _say(f"open them with: jupyter lab {options.folder}")


def _open(options: argparse.Namespace) -> Twin:
    from twinlab.twin import open_twin  # noqa: PLC0415

    return open_twin(options.folder)


if __name__ == "__main__":
    raise SystemExit(main())
