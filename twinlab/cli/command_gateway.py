"""``twinlab command-gateway``: commands for machines that can't verify them."""

from __future__ import annotations

import asyncio
import signal
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from twinlab._click import Command
from twinlab.cli.commands import group, path_option, say

if TYPE_CHECKING:
    from twinlab.edge.commanding.settings import CommandGatewaySettings

__all__: list[str] = []


@group.command(
    "command-gateway", cls=Command, after="pseudonym-key", example="twinlab command-gateway refrigeration.yaml"
)
@path_option("settings", help="YAML file with the gateway's name, keys, certificates, registers and limits.")
def _command_gateway(settings: Path) -> None:
    """Take signed commands for machines with Modbus, until it is stopped.

    Each command is verified, recorded, written to the machine's register and read back; the answer is signed. The machine must be in
    a network that only the gateway is in.
    """
    from twinlab.edge.commanding.settings import read_gateway_settings  # noqa: PLC0415  (--help stays quick)

    asyncio.run(_run(read_gateway_settings(settings)))


async def _run(settings: CommandGatewaySettings) -> None:
    from twinlab.edge.commanding.command_gateway import CommandGateway  # noqa: PLC0415

    ending = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        with suppress(NotImplementedError):  # Windows
            asyncio.get_running_loop().add_signal_handler(number, ending.set)
    async with CommandGateway(settings) as gateway:
        say(f"{settings.name} takes commands on {settings.listen.host}:{gateway.server.port}. Stop with Ctrl+C.")
        await ending.wait()
