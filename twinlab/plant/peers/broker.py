"""A mosquitto of the plant: TLS, a certificate for each client, and an access list by the name in it."""

from __future__ import annotations

import asyncio
import getpass
import os
import re
import shutil
import socket
import subprocess
import threading
import time
from pathlib import Path

from twinlab.errors import SourceError
from twinlab.plant.peers.certificates import Authority
from twinlab.plant.peers.children import bound_command

__all__ = ["AUDITOR", "CONTROL", "HISTORIAN", "Broker"]

#: Names of the certificates of who reads all rows, of who sends commands, and of who reads what devices have recorded.
HISTORIAN, CONTROL, AUDITOR = "historian", "control", "auditor"
_PATIENCE = 20.0
#: Lines of a mosquitto's log about messages that it took and sent.
_MESSAGES = re.compile(rb"^\S+: (Sending|Received) (PUBLISH|PUBACK|PINGREQ|PINGRESP)\b")
#: A gateway writes its own births and rows, and reads its own replies and requests; the historian the reverse. Only `CONTROL`
#: writes commands; `AUDITOR` asks for records alone; a device reads its own, and answers and shows that it lives on its own topics.
_ACCESS = f"""
pattern write twinlab/%u/birth
pattern write twinlab/%u/rows
pattern read twinlab/%u/reply
pattern read twinlab/%u/request
pattern read command/%u/+
pattern write answer/%u
pattern write alive/%u

user {HISTORIAN}
topic read twinlab/+/birth
topic read twinlab/+/rows
topic write twinlab/+/reply
topic write twinlab/+/request

user {CONTROL}
topic write command/+/+
topic read answer/+

user {AUDITOR}
topic write command/+/records
topic read answer/+
"""


class Broker:
    """A broker on a free port of 127.0.0.1.

    Parameters
    ----------
    folder : path
        Gets ``mosquitto.conf`` and ``mosquitto.log``.
    authority : Authority
        Issues the broker's certificate, and those of its clients.
    """

    def __init__(self, folder: str | Path, authority: Authority) -> None:
        self._folder = Path(folder)
        self._authority = authority
        self.port = 0
        self._process: subprocess.Popen[bytes] | None = None
        self._logging: threading.Thread | None = None

    async def start(self) -> None:
        """Start it, and issue the certificates of `HISTORIAN`, `CONTROL` and `AUDITOR`.

        Raises
        ------
        SourceError
            If mosquitto isn't installed, or doesn't start.
        """
        await asyncio.to_thread(self._start)
        for name in (HISTORIAN, CONTROL, AUDITOR):
            self._authority.issue(name)

    async def stop(self) -> None:
        """End it with all connections."""
        if self._process is not None:
            await asyncio.to_thread(_stop, self._process)
            self._process = None
        if self._logging is not None:
            await asyncio.to_thread(self._logging.join, _PATIENCE)
            self._logging = None

    def client(self, name: str) -> dict[str, object]:
        """Return host, port and the files of certificate and key with which a client connects."""
        folder = self._authority.folder
        return {
            "host": "127.0.0.1", "port": self.port, "ca": str(self._authority.certificate),
            "certificate": str(folder / f"{name}.pem"), "key": str(folder / f"{name}.key.pem"),
        }  # fmt: skip

    @property
    def log(self) -> Path:
        """What it logs: connections, refused certificates and publishes."""
        return self._folder / "mosquitto.log"

    def _start(self) -> None:
        program = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")
        if program is None:
            msg = "the plant's trucks and forklifts need the broker mosquitto, which isn't installed; install it with: apt install mosquitto"
            raise SourceError(msg)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        config, log = self._write_settings(), self.log
        process = self._process = subprocess.Popen(  # noqa: S603  (the broker's program)
            bound_command([program, "-c", str(config)]), stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            env={**os.environ, "TZ": "UTC"},
            # Ctrl+C in a terminal ends the plant, which then ends its peers in order.
            start_new_session=True,
        )  # fmt: skip
        log.touch()
        self._logging = threading.Thread(target=_copy_log, args=(process, log), daemon=True)
        self._logging.start()
        until = time.monotonic() + _PATIENCE
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), 0.2).close()
            except OSError as error:
                if process.poll() is not None or time.monotonic() > until:
                    _stop(process)
                    self._logging.join(_PATIENCE)
                    text = log.read_text(encoding="utf-8", errors="replace")
                    msg = f"mosquitto doesn't start: {text.strip()[-500:]}"
                    raise SourceError(msg) from error
                time.sleep(0.01)
            else:
                return

    def _write_settings(self) -> Path:
        pair = self._authority.issue("broker", server=True)
        self._folder.mkdir(parents=True, exist_ok=True)
        access = self._authority.folder / "broker.access"
        access.touch(mode=0o600)
        access.write_text(_ACCESS, encoding="ascii")
        settings = [
            f"listener {self.port} 127.0.0.1", f"cafile {self._authority.certificate}", f"certfile {pair.certificate}",
            f"keyfile {pair.key}", "require_certificate true", "use_identity_as_username true",
            # Otherwise a client could take another's name and end its connection.
            "use_username_as_clientid true", "tls_version tlsv1.2", "allow_anonymous false", f"acl_file {access}",
            "persistence false", "set_tcp_nodelay true", "max_queued_messages 1000",
            # What the access list refuses is among the lines for debugging.
            "log_type all", "log_dest stderr", "log_timestamp_format %Y-%m-%dT%H:%M:%SZ",
        ]  # fmt: skip
        if os.geteuid() == 0:
            # It would become another user, who can't read the keys.
            settings.append(f"user {getpass.getuser()}")
        config = self._folder / "mosquitto.conf"
        config.write_text("\n".join(settings) + "\n", encoding="utf-8")
        return config


def _copy_log(process: subprocess.Popen[bytes], path: Path) -> None:
    """Write what the broker logs to a file, without the lines of each message: they would be gigabytes in a week."""
    assert process.stdout is not None
    with process.stdout as lines, path.open("ab") as log:
        for line in lines:
            if not _MESSAGES.search(line):
                log.write(line)
                log.flush()


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(_PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
