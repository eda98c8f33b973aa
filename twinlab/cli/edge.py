"""``twinlab edge``: an edge gateway beside a machine."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import click

from twinlab._click import Command
from twinlab._tasks import cancel_all
from twinlab.cli.commands import group, path_option

if TYPE_CHECKING:
    from twinlab.edge.gateway import Gateway
    from twinlab.edge.settings import GatewaySettings

__all__: list[str] = []


@group.command("edge", cls=Command, after="run", example="read_machine | twinlab edge truck-1.yaml")
@path_option("settings", help="YAML file with the gateway's name, broker, outbox and streams.")
@click.option("--leave", is_flag=True, help="End with the input; rows that aren't acknowledged stay in the outbox.")
@click.option(
    "--metrics",
    metavar="[HOST:]PORT",
    help="Address for /health and /metrics, such as rows in the outbox, as of twinlab run.",
)
def _edge(settings: Path, *, leave: bool, metrics: str | None) -> None:
    """Store readings from standard input and send them until a historian has them.

    A line of the input is {"tag": "temp", "time": "2026-03-01T12:00:00Z", "value": 4.5}. After each group of lines that is on the
    disk, the output has {"stored": number of lines so far}. Logs are JSON on standard error.
    """
    from twinlab.edge.settings import read_settings  # noqa: PLC0415  (--help stays quick)
    from twinlab.twin.live.logs import log_as_json  # noqa: PLC0415

    log_as_json()
    asyncio.run(_run(read_settings(settings), leave=leave, metrics=metrics))


async def _run(settings: GatewaySettings, *, leave: bool, metrics: str | None) -> None:
    from twinlab.edge.gateway import Gateway  # noqa: PLC0415

    async with Gateway(settings) as gateway:
        work = asyncio.create_task(_serve(gateway, leave=leave))
        for number in (signal.SIGTERM, signal.SIGINT):
            with suppress(NotImplementedError):  # Windows
                asyncio.get_running_loop().add_signal_handler(number, work.cancel)
        watch = asyncio.create_task(gateway.watch())
        async with _figures(gateway, metrics):
            done, _ = await asyncio.wait({work, watch}, return_when=asyncio.FIRST_COMPLETED)
        await cancel_all([work, watch])
        for task in done - {task for task in done if task.cancelled()}:
            task.result()


@asynccontextmanager
async def _figures(gateway: Gateway, place: str | None) -> AsyncIterator[None]:
    """Answer service managers and Prometheus inside a ``with`` block, if there is an address for it."""
    if place is None:
        yield
        return
    from twinlab.twin.health.checks import Check  # noqa: PLC0415  (a gateway's machine is small)
    from twinlab.twin.health.endpoint import HealthEndpoint, parse_place  # noqa: PLC0415
    from twinlab.twin.health.families import outbox_families, process_families  # noqa: PLC0415

    outbox = gateway.outbox
    endpoint = HealthEndpoint(
        lambda: [Check("outbox", "ok", f"{outbox.rows:,} rows wait for the historian")],
        lambda: [*outbox_families(stored=outbox.last, acknowledged=outbox.acknowledged), *process_families()],
    )
    host, port = parse_place(place)
    await endpoint.start(port, host=host)
    try:
        yield
    finally:
        await endpoint.close()


async def _serve(gateway: Gateway, *, leave: bool) -> None:
    from twinlab.edge.gateway import read_chunks, run_lines  # noqa: PLC0415

    await run_lines(gateway, read_chunks(sys.stdin.buffer), _report)
    if not leave:
        await gateway.drain()


def _report(lines: int) -> None:
    sys.stdout.write(f"{json.dumps({'stored': lines})}\n")
    sys.stdout.flush()


@group.command(
    "pseudonym-key", cls=Command, after="edge",
    example="twinlab pseudonym-key names.json\ntwinlab pseudonym-key names.json --rotate --forget",
)  # fmt: skip
@path_option("file", help="File of the secrets, on the gateway's machine: pseudonyms.key of its settings.")
@click.option("--rotate", is_flag=True, help="From now on people get other pseudonyms.")
@click.option(
    "--forget",
    is_flag=True,
    help="With --rotate: remove the earlier secrets, so that nobody can link earlier pseudonyms.",
)
def _pseudonym_key(file: Path, *, rotate: bool, forget: bool) -> None:
    """Make the secret with which a gateway replaces ids of people before rows are stored and sent.

    Only the gateway needs it. Who has it, and a list of names, can find out whom a pseudonym belongs to.
    """
    from twinlab.edge.pseudonyms import create_secrets, rotate_secrets  # noqa: PLC0415  (--help stays quick)

    if forget and not rotate:
        msg = "--forget goes with --rotate: without a secret no row is stored"
        raise click.UsageError(msg)
    if rotate:
        rotate_secrets(file, forget=forget)
        click.echo(
            f"{file}: people get other pseudonyms from now on{', and the earlier secrets are gone' if forget else ''}"
        )
    else:
        create_secrets(file)
        click.echo(f"wrote {file}; only its owner can read it")
