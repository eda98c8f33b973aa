"""The methods of `Twin` that command a plant."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from twinlab.errors import CommandRejectedError, UnknownTermError
from twinlab.model.terms import nearest
from twinlab.twin.catalogues.methods import CatalogueMethods
from twinlab.twin.commanding.audit_methods import AuditMethods

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import pandas as pd

    from twinlab.control.proposals.desk import Desk
    from twinlab.control.proposals.plan import Plan
    from twinlab.control.proposals.plan_store import PlanStore
    from twinlab.control.proposals.sending import SendResult
    from twinlab.history import HistoryReader
    from twinlab.model.mapping import Mapping as SourceMapping
    from twinlab.model.twinmodel import TwinModel
    from twinlab.twin.live.status import LiveStatus

__all__ = ["CommandMethods"]


class CommandMethods(AuditMethods, CatalogueMethods):
    """Methods of `Twin`: propose, approve and send commands, look at setpoints, stop in an emergency."""

    if TYPE_CHECKING:
        folder: Path
        mappings: Mapping[str, SourceMapping]

        @property
        def reader(self) -> HistoryReader:
            """The reader of the twin's history."""

        @property
        def model(self) -> TwinModel:
            """The twin's model."""

        def live_status(self) -> LiveStatus:
            """Return the state of the historian."""

        def freshness(self) -> pd.DataFrame:
            """Return a row for each asset of live sources."""

    @property
    def commands(self) -> pd.DataFrame:
        """What may be set: a row for each asset type and parameter, empty for a twin that is read-only."""
        from twinlab.twin.commanding.setpoints import command_table  # noqa: PLC0415

        return command_table(self.model)

    def setpoints(self) -> pd.DataFrame:
        """Return setpoints beside what assets report: a row for each controllable parameter of each asset.

        Returns
        -------
        DataFrame
            See `twinlab.twin.commanding.setpoints.setpoint_table`; empty for a twin that is read-only.
        """
        from twinlab.twin.commanding.setpoints import setpoint_table  # noqa: PLC0415

        sent = (
            [plan for plan in self.plans().to_dict("records") if plan["status"] == "done"]
            if self.model.commands
            else []
        )
        return setpoint_table(self.reader, sent, now=self._now())

    def propose(self, target: str, parameter: str, value: object, *, reason: str) -> Plan:
        r"""Propose to set a parameter of an asset: look at the present state, check, simulate. Nothing is sent.

        Parameters
        ----------
        target : str
            ``"forklift/F07"``.
        parameter : str
            One of `commands`: ``"max_speed"``.
        value : str or number
            ``"6 km/h"``; without a unit in that of the command.
        reason : str
            Why, in a sentence; others read it before they approve, and in the audit.

        Returns
        -------
        Plan
            Its ``verdict`` is safe, unsafe or "can't tell", with reasons; ``refused`` says why it can't be approved. Then
            ``approve(as_=…)`` and ``send()``.

        Raises
        ------
        CommandRejectedError
            If the twin is read-only: its model has no ``commands:``.
        UnknownTermError
            If there is no such asset or parameter.
        SchemaError
            If the setpoint is no number; a UnitError if its unit doesn't convert.
        ControlError
            If the proposal can't be recorded.

        Examples
        --------
        >>> import tempfile, twinlab as tl
        >>> from pathlib import Path
        >>> folder = Path(tempfile.mkdtemp())
        >>> _ = (folder / "gauge.csv").write_text("time,level (m)\n2026-03-01T00:00Z,2.1\n")
        >>> twin = tl.create(folder / "pilot", files=[folder / "gauge.csv"])
        >>> twin.propose("gauge/gauge", "level", "2 m", reason="a test")
        Traceback (most recent call last):
        ...
        twinlab.errors.CommandRejectedError: the twin 'pilot' is read-only: its twin.yaml has no `commands:`; state there what may be set, and within which limits
        """
        from twinlab.control.proposals.plan import Plan  # noqa: PLC0415  (reading a twin needs none)
        from twinlab.control.proposals.proposing import Request, spec_of  # noqa: PLC0415

        spec_of(self.model, target, parameter)
        return Plan.made(self.control, Request(target, parameter, value, reason))

    def plan(self, plan_id: str) -> Plan:
        """Return a plan by its id, which another session may have proposed.

        Raises
        ------
        UnknownTermError
            If there is none.
        """
        from twinlab.control.proposals.plan import Plan  # noqa: PLC0415

        return Plan.stored(self.control, plan_id)

    def plans(self) -> pd.DataFrame:
        """Return all plans, the newest first: index ``id``; ``target, parameter, value, unit, verdict, status, persons, at, reason``."""
        import pandas as pd  # noqa: PLC0415

        from twinlab.control.proposals.plan import Plan  # noqa: PLC0415

        found = [Plan.stored(self.control, name, data) for name, data in self.control.stored.all().items()]
        rows = [
            (one.id, one.proposal.target, one.proposal.parameter, one.proposal.value, one.proposal.unit, one.verdict, one.status,
             one.persons, one.proposal.at, one.proposal.reason)
            for one in found
        ]  # fmt: skip
        columns = ["id", "target", "parameter", "value", "unit", "verdict", "status", "persons", "at", "reason"]
        return pd.DataFrame(rows, columns=columns).set_index("id")

    def emergency_stop(
        self, target: str, *, as_: object, parameter: str | None = None, reason: str = "emergency stop"
    ) -> SendResult:
        """Send an asset to its fail-safe value at once: one person, nothing simulated, nothing waited for.

        Parameters
        ----------
        target : str
            ``"forklift/F07"``.
        as_ : Signer, Path or str
            Who stops it; see `Plan.approve`.
        parameter : str, optional
            What goes to its fail-safe value; may be left out if the asset's type has one parameter.
        reason : str
            For the audit.

        Raises
        ------
        CommandRejectedError
            If the twin is read-only.
        UnknownTermError
            If there is no such asset type or parameter, or it isn't clear which.
        """
        from twinlab.control.proposals.proposing import spec_of  # noqa: PLC0415
        from twinlab.control.proposals.stopping import emergency_stop  # noqa: PLC0415

        known = self.model.commands.get(target.partition("/")[0], {})
        if parameter is None and len(known) > 1:
            msg = f"emergency_stop: expected one of the parameters {', '.join(known)} of {target}, got none{nearest('', known)}"
            raise UnknownTermError(msg)
        chosen = parameter or next(iter(known), "")
        spec_of(self.model, target, chosen)
        return emergency_stop(self.control, target, chosen, as_=as_, reason=reason)

    def connect_devices(self) -> None:
        """Connect to the devices now, so that the first command or emergency stop of this process needn't wait for it.

        Raises
        ------
        CommandRejectedError
            If the twin is read-only.
        ControlError
            If there is no ``control.yaml``.
        """
        self.control.carried  # noqa: B018  (it connects when it is first asked for)

    @cached_property
    def control(self) -> Desk:
        """The twin's side of control, from ``control.yaml`` in its folder: keys, audit, guard, the way to the assets.

        Raises
        ------
        CommandRejectedError
            If the twin is read-only.
        ControlError
            If there is no ``control.yaml``.
        """
        from twinlab.control.carriers import (  # type: ignore[import-not-found,import-untyped,unused-ignore]  # noqa: PLC0415
            open_endpoints,
        )
        from twinlab.control.proposals.desk import Desk  # noqa: PLC0415
        from twinlab.signing.keys import KeyRingFile  # noqa: PLC0415
        from twinlab.twin.commanding.settings import read_settings  # noqa: PLC0415

        if not self.model.commands:
            msg = f"the twin {self.model.twin!r} is read-only: its twin.yaml has no `commands:`"
            raise CommandRejectedError(msg)
        settings = read_settings(self.folder)
        return Desk(
            self.folder / "control", reader=lambda: self.reader, ring=KeyRingFile(self.folder / settings.keys).read,
            record=self.audit_log.append, channel=lambda: open_endpoints(self.folder / "control.yaml"),
            people={name: self.folder / path for name, path in settings.people.items()}, settled=self._unsettled,
            plans=self._plan_store(),
        )  # fmt: skip

    def _plan_store(self) -> PlanStore | None:
        shared = self.shared_catalogues
        if shared is None or "plans" not in shared.of:
            return None
        from twinlab.control.proposals.plan_store import DatabasePlans  # noqa: PLC0415
        from twinlab.database.documents import Documents  # noqa: PLC0415

        return DatabasePlans(Documents(shared.database, "plan"), self.folder / "control")

    def _unsettled(self, target: str, needed: Sequence[str]) -> str | None:
        from twinlab.twin.commanding.settled import unsettled  # noqa: PLC0415

        return unsettled(
            target, needed, freshness=self.freshness(), status=self.live_status(), mappings=self.mappings
        )  # fmt: skip

    def _now(self) -> np.datetime64:
        from datetime import UTC  # noqa: PLC0415

        found: Any = self.control.clock() if self.model.commands else None
        return (
            np.datetime64("now", "ns")
            if found is None
            else np.datetime64(found.astimezone(UTC).replace(tzinfo=None), "ns")
        )
