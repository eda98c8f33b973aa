"""``twinlab run``: the live sources of a twin, until it is stopped."""

from __future__ import annotations

from pathlib import Path

import click

from twinlab._click import Command
from twinlab.cli.commands import group, open_twin, say, twin_folder

__all__: list[str] = []


@group.command(
    "run", cls=Command, after="ingest",
    example="twinlab run pilot/ --metrics 9464\ntwinlab run pilot/ --once\ntwinlab run pilot/ --for 60s",
)  # fmt: skip
@twin_folder
@click.option("--once", is_flag=True, help="Stop once every source has been read, such as each folder and table once.")
@click.option("--for", "duration", metavar="TIME", help="Stop after so long, such as 60s or 8h.")
@click.option(
    "--metrics",
    metavar="[HOST:]PORT",
    help="Address for /health, /metrics (Prometheus) and /status: of 127.0.0.1, or of another HOST with TWINLAB_METRICS_TOKEN; 0: a free port.",
)
@click.option(
    "--standby",
    is_flag=True,
    help="If another process runs this twin, on any machine, wait until it ends or is silent; take over.",
)
@click.option(
    "--lease",
    metavar="TIME",
    default="10s",
    show_default=True,
    help="Time after which a standby takes over if this process is silent.",
)
def _run(folder: Path, *, once: bool, duration: str | None, metrics: str | None, standby: bool, lease: str) -> None:
    """Run the live sources of a twin until stopped (Ctrl+C, SIGTERM); logs are JSON on stderr."""
    from twinlab.events.reading import duration_ns  # noqa: PLC0415  (each command loads its rooms only)
    from twinlab.twin.health.endpoint import parse_place  # noqa: PLC0415
    from twinlab.twin.live.logs import log_as_json  # noqa: PLC0415

    seconds = None if duration is None else duration_ns(duration) / 1e9
    host, port = ("127.0.0.1", None) if metrics is None else parse_place(metrics)
    lease_seconds = duration_ns(lease) / 1e9
    log_as_json()
    twin = open_twin(folder)
    status = twin.run(
        once=once, seconds=seconds, metrics_port=port, metrics_host=host, standby=standby, lease_seconds=lease_seconds
    )
    say(str(status))
