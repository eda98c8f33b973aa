"""The records of a twin's devices, fetched into its audit now and then."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from twinlab.control.carriers.endpoints import Endpoints, open_endpoints
from twinlab.control.devices.fetching import FetchReport, fetch_records
from twinlab.errors import TwinlabError
from twinlab.twin.privacy.recording import AUDIT

if TYPE_CHECKING:
    from twinlab.control.audit import AuditLog

__all__ = ["DeviceRecords"]

_LOG = logging.getLogger("twinlab.twin.security")
#: Seconds between two times at which devices are asked.
_EVERY = 30.0
_CONTROL, _STATE = "control.yaml", Path("control") / "device-records.json"


class DeviceRecords:
    """Asks the devices of a twin for their records, over connections of its own that stay open.

    Parameters
    ----------
    folder : Path
        The twin's.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._endpoints: Endpoints | None = None
        self._stated: bytes | None = None
        self._guard = threading.Lock()
        self._thread: threading.Thread | None = None
        self._began: float | None = None

    def fetch(self, targets: Iterable[str], log: Callable[[], AuditLog]) -> FetchReport:
        """Append what devices have recorded since the last call to the audit.

        Parameters
        ----------
        targets : iterable of str
            Assets that can be commanded.
        log : callable
            Returns the audit.
        """
        path = self._folder / _CONTROL
        if not path.is_file():
            return FetchReport(0, {})
        with self._guard:
            stated = path.read_bytes()
            if self._endpoints is None or stated != self._stated:
                # A plant that was started anew has other ports.
                self.close()
                self._endpoints, self._stated = open_endpoints(path, reading=True), stated
            return fetch_records(
                self._endpoints, targets, state=self._folder / _STATE, audit=self._folder / AUDIT, append=log().append
            )

    def fetch_beside(self, targets: Iterable[str], log: Callable[[], AuditLog]) -> None:
        """Do it in a thread, if the last time is half a minute ago: who calls doesn't wait for devices that don't answer."""
        at = time.monotonic()
        busy = self._thread is not None and self._thread.is_alive()
        if busy or (self._began is not None and at - self._began < _EVERY) or not (self._folder / _CONTROL).is_file():
            return
        self._began = at
        opened, wanted = log(), tuple(targets)
        self._thread = threading.Thread(
            target=self._try_to_fetch, args=(wanted, opened), name="records of devices", daemon=True
        )
        self._thread.start()

    def close(self) -> None:
        """Disconnect."""
        if self._endpoints is not None:
            self._endpoints.close()
            self._endpoints = None

    def _try_to_fetch(self, targets: tuple[str, ...], log: AuditLog) -> None:
        try:
            report = self.fetch(targets, lambda: log)
        except (TwinlabError, OSError) as error:
            _LOG.error("the records of devices weren't read", extra={"error": str(error)})
            return
        if report.unreachable:
            _LOG.info("devices whose records weren't read", extra={"devices": sorted(report.unreachable)})
