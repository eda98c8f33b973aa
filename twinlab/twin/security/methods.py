"""The methods of twins that concern security: events, quarantined messages, gateways."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from twinlab.errors import TwinlabError, UnknownTermError

if TYPE_CHECKING:
    import pandas as pd

    from twinlab.control.audit import AuditLog
    from twinlab.control.devices import FetchReport
    from twinlab.history import HistoryReader
    from twinlab.model.mapping import Mapping as SourceMapping
    from twinlab.model.twinmodel import TwinModel
    from twinlab.sources.live.guarded.quarantine import Decision
    from twinlab.twin.live.status import LiveStatus
    from twinlab.twin.security.device_records import DeviceRecords
    from twinlab.twin.security.reading import SecurityReader

__all__ = ["SecurityMethods"]

_LOG = logging.getLogger("twinlab.twin.security")


class SecurityMethods:
    """Security events, messages in quarantine and gateways with their keys."""

    folder: Path
    mappings: Mapping[str, SourceMapping]

    if TYPE_CHECKING:

        @property
        def reader(self) -> HistoryReader:
            """The twin's reader."""

        @property
        def model(self) -> TwinModel:
            """The twin's model."""

        @property
        def audit_log(self) -> AuditLog:
            """The twin's audit."""

        def live_status(self) -> LiveStatus:
            """Return the historian's state."""

    def security_events(self, *, start: object = None, stop: object = None) -> pd.DataFrame:
        """Return what was found in the logs of broker, historian and audit, and in the values of sensors.

        The historian (``twinlab run``) searches while it runs; `search_intrusions` does it once.

        Parameters
        ----------
        start, stop : instant, optional
            Events that overlap ``[start, stop)``; naive is UTC.

        Returns
        -------
        DataFrame
            As `twinlab.events.intrusion.security_table`: ``event_id, …, start, end, rule, title, severity, subject, host, count, text, evidence``.
        """
        from twinlab.twin.security.reading import in_window  # noqa: PLC0415  (reading a twin needs none)

        return in_window(self._security_table(), start, stop, None)

    def search_intrusions(self) -> int:
        """Search what is new in the logs and the history; return the number of events so far.

        First changed policies are noted in the audit, and each half minute what devices have recorded.
        """
        from twinlab.twin.security.rounds import all_events, run_round  # noqa: PLC0415

        try:
            self.note_policy_changes()
            if self.model.commands:
                self._device_records.fetch_beside(self._commanded(), lambda: self.audit_log)
        except (TwinlabError, OSError) as error:
            # Such as an audit that was edited: the logs are searched all the same.
            _LOG.warning("the audit wasn't written", extra={"error": str(error)})
        return len(all_events(run_round(self.folder, self.reader)))

    def fetch_device_records(self) -> FetchReport:
        """Append to the audit what devices have recorded by themselves since it was done last, such as a command that they refused.

        The historian (``twinlab run``) does it every half minute. Each entry is signed by its device, and comes once.

        Returns
        -------
        FetchReport
            How many rows were added, and which devices weren't reached: those are asked again the next time.

        Raises
        ------
        ControlError
            If the audit can't be written.
        SchemaError
            If ``control.yaml`` isn't valid.
        """
        return self._device_records.fetch(self._commanded(), lambda: self.audit_log)

    def note_policy_changes(self) -> int:
        """Write a row to the audit for each policy that has changed since this was called last; return how many.

        Policies are ``access.yaml``, ``commands:``, ``control.yaml`` and the files of keys. A row has the hashes before and after, when the
        file was modified, and the account that has noticed it. The historian calls it every few seconds.

        Raises
        ------
        ControlError
            If the audit can't be written.
        """
        from twinlab.twin.security.policies import note_policy_changes, policies_of  # noqa: PLC0415

        return note_policy_changes(
            policies_of(self.folder, self.model, self.mappings), self.folder, lambda: self.audit_log
        )

    def _commanded(self) -> Iterator[str]:
        """Yield the assets that can be commanded."""
        for kind in self.model.commands:
            for asset in self.reader.assets(kind).index:
                yield f"{kind}/{asset}"

    @cached_property
    def _device_records(self) -> DeviceRecords:
        # One object: its connections stay open.
        from twinlab.twin.security.device_records import DeviceRecords  # noqa: PLC0415

        return DeviceRecords(self.folder)

    def quarantine(self, source: str | None = None) -> pd.DataFrame:
        """Return the messages that live sources didn't take, of all or one source, the newest first.

        Returns
        -------
        DataFrame
            ``id, source, gateway, kind, reason, state`` (quarantined, released, ingested, discarded)``, noted, last`` (when it came
            last)``, count, epoch, first`` (sequence)``, rows, size`` (bytes)``, key, why, by, note, decided``.

        Raises
        ------
        UnknownTermError
            If the twin has no such source.
        """
        from twinlab.twin.security.gateways import quarantine_table, quarantines  # noqa: PLC0415

        self._check_source(source)
        return quarantine_table(quarantines(self.folder, source, self.mappings))

    def release_message(self, id: str, *, by: str, note: str = "") -> None:  # noqa: A002
        """Let a quarantined message in: the historian stores its rows in their place, once; recorded with who and why.

        Raises
        ------
        UnknownTermError
            If there is no such message.
        SchemaError
            If nobody is named, or somebody has decided already.
        """
        self._decide(id, "released", by, note)

    def discard_message(self, id: str, *, by: str, note: str = "") -> None:  # noqa: A002
        """Discard a quarantined message: its bytes are removed, the record of it stays. Errors as of `release_message`."""
        self._decide(id, "discarded", by, note)

    def gateways(self) -> pd.DataFrame:
        """Return a row for each gateway: state, last seen, whether its messages are signed, by which key, epoch, sequence, quarantine.

        ``key_state`` says how many valid and revoked keys the key ring has for it.
        """
        from twinlab.twin.security.gateways import gateway_table  # noqa: PLC0415

        return gateway_table(self.folder, self.live_status().sources, self.mappings, self.quarantine())

    def personal_reads(self, *, count: int = 200) -> pd.DataFrame:
        """Return who has read, released or erased personal data, the newest first, as the audit has it.

        Returns
        -------
        DataFrame
            ``at`` (UTC)``, kind, who, of`` (asset or event type)``, fields, purpose, rows, to, outcome``.

        Raises
        ------
        CorruptionError
            At a row of the audit that doesn't follow the one before it.
        """
        from twinlab.twin.privacy.recording import AUDIT  # noqa: PLC0415
        from twinlab.twin.security.audit_rows import read_table  # noqa: PLC0415

        return read_table(self.folder / AUDIT, count)

    def privacy_budget(self) -> pd.DataFrame:
        """Return for each purpose of the model what its releases with noise have cost, and how much is left.

        Returns
        -------
        DataFrame
            ``purpose, spent, budget, left``, privacy loss (epsilon); empty if the model states no ``privacy``.
        """
        import pandas as pd  # noqa: PLC0415  (the historian needs none)

        from twinlab.twin.privacy.releasing.budget import spent_by_purpose  # noqa: PLC0415

        rule = self.model.privacy
        rows = []
        if rule is not None:
            spent, budget = spent_by_purpose(self.folder), rule.release.budget
            for purpose in self.model.purposes:
                used = spent.get(purpose, 0.0)
                rows.append((purpose, used, budget, budget - used))
        return pd.DataFrame(rows, columns=["purpose", "spent", "budget", "left"])

    @property
    def has_security(self) -> bool:
        """Whether there is anything to secure: a source of gateways, commands, or personal data."""
        gateways = any(one.live is not None and one.live.kind == "mqtt" for one in self.mappings.values())
        return gateways or bool(self.model.commands) or bool(self.model.purposes)

    @property
    def _with_security(self) -> SecurityReader:
        """The twin's reader with security events."""
        from twinlab.twin.security.reading import SecurityReader  # noqa: PLC0415

        return SecurityReader(self.reader, self._security_table)

    # -- inside ----------------------------------------------------------------------------------------------------
    def _decide(self, id: str, decision: Decision, by: str, note: str) -> None:  # noqa: A002
        from twinlab.twin.privacy.recording import PrivacyAudit  # noqa: PLC0415
        from twinlab.twin.security.gateways import quarantines  # noqa: PLC0415

        for one in quarantines(self.folder, None, self.mappings):
            if one.entry(id) is not None:
                one.check(id, by=by)
                # In the audit before it is done; whoever can't be recorded can't decide.
                row = {"id": id, "source": one.source, "outcome": decision, "reason": note}
                PrivacyAudit(self.folder).append({"kind": "intrusion", "who": [by.strip()], "what": row})
                one.decide(id, decision, by=by, note=note)
                return
        msg = f"unknown message {id!r}; `twin.quarantine()` has the ids"
        raise UnknownTermError(msg)

    def _check_source(self, source: str | None) -> None:
        if source is not None and source not in self.mappings:
            from twinlab.model.terms import nearest  # noqa: PLC0415

            msg = f"unknown source {source!r}{nearest(source, self.mappings)}"
            raise UnknownTermError(msg)

    def _security_table(self) -> pd.DataFrame:
        """Return all security events; read again when the file has changed."""
        from twinlab.events.intrusion.table import security_table  # noqa: PLC0415
        from twinlab.twin.security.rounds import all_events  # noqa: PLC0415
        from twinlab.twin.security.state import SecurityState  # noqa: PLC0415

        stamp = SecurityState.stamp(self.folder)
        known: tuple[object, pd.DataFrame] | None = getattr(self, "_security_read", None)
        if known is None or known[0] != stamp:
            known = stamp, security_table(all_events(SecurityState.read(self.folder)))
            self._security_read = known
        return known[1].copy()
