"""The methods of `Twin` about what its storage costs and what it keeps."""

from __future__ import annotations

import getpass
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, Protocol

from twinlab.errors import SchemaError
from twinlab.history.retention.row_times import latest_times
from twinlab.history.retention.storage_use import storage_use
from twinlab.history.store.opening import open_history, repository_path
from twinlab.model.basics import parse_duration
from twinlab.model.storage.price import Money, Price
from twinlab.twin.report import format_bytes
from twinlab.twin.retention.forecast import StorageForecast

if TYPE_CHECKING:
    from twinlab.history import Historian, HistoryReader
    from twinlab.ledger import Ledger
    from twinlab.model.storage.price import Codec
    from twinlab.model.storage.retention import RetentionRule
    from twinlab.model.twinmodel import TwinModel
    from twinlab.twin.retention.applying import RetentionPreview
    from twinlab.twin.retention.plan import RetentionPlan

__all__ = ["RetentionMethods", "RetentionReport"]

#: Clocks of sources may differ from UTC by so much; rows are archived only if they are older by it.
CLOCKS_NS: Final = 2 * 86_400 * 10**9


class _Twin(Protocol):
    """What the methods need of a twin."""

    folder: Path
    ledger: Ledger
    # The model in the twin's folder.
    _model: TwinModel

    @property
    def reader(self) -> HistoryReader:
        """The reader of the twin's history."""

    def reload(self) -> None:
        """Read the model and the mappings in the twin's folder again."""

    def _current_historian(self) -> Historian:
        """Return the historian of the current model and mappings."""


class RetentionMethods:
    """Methods of `Twin`: forecast of its storage, plan of what to keep, applying it."""

    def forecast_storage(self: _Twin) -> StorageForecast:
        """Return what the twin's storage amounts to now, in 1 month, 1 year and 5 years, and what that costs.

        The price is stated in ``twin.yaml``: ``storage: {price: 0.02 EUR/GB/month}``.

        Returns
        -------
        StorageForecast
            Its ``table()`` has the bytes by part; ``line`` says it in one sentence, which the twin's repr shows, too.
        """
        self.reader.position()  # builds a history again that doesn't open
        history = self.folder / "history"
        view = open_history(history) if repository_path(history).is_dir() else None
        return StorageForecast(storage_use(self.folder, view), self._model.storage)

    def plan_retention(
        self: _Twin,
        budget: str,
        *,
        price: str | None = None,
        archive_price: str | None = None,
        keep: Sequence[Literal["events", "flagged"]] = ("events", "flagged"),
        margin: str = "1h",
    ) -> RetentionPlan:
        """Return ways of keeping less of older data, with bytes, costs and errors measured on the twin's own history.

        Nothing is changed. Cells of gauges that are older than some age can be removed, so that only their rollups stay, or be
        rounded to a coarser resolution; sealed segments of the ledger can be archived.

        Parameters
        ----------
        budget : str
            Highest cost a month: ``"20 EUR/month"``.
        price : str, optional
            Price of the storage of the twin's folder: ``"0.02 EUR/GB/month"``; that of ``storage:`` in ``twin.yaml`` by default.
        archive_price : str, optional
            Price of the storage of the archive; by default that of ``storage:``, or ``price`` if that is given.
        keep : sequence of "events", "flagged"
            What stays at full rate at any age: the time of an asset's exceptions and events, those of finders (``events:`` in
            ``twin.yaml``) too, and around suspect and failed values.
        margin : str
            How much before and after these stays, too.

        Returns
        -------
        RetentionPlan
            Its ``table`` has all ways, ``plot()`` draws bytes against error; ``propose()`` writes the chosen one down for
            approval.

        Raises
        ------
        SchemaError
            If there is no price, neither here nor in ``twin.yaml``, a parameter doesn't fit, or the twin has no cells.
        """
        from twinlab.twin.retention.making import make_plan  # noqa: PLC0415  (rules and their kinds load late)

        prices = _prices(self._model, price, archive_price)
        try:
            money = Money.parse(budget)
            parse_duration(margin)
        except ValueError as error:
            raise SchemaError(str(error)) from error
        unknown = set(keep) - {"events", "flagged"}
        if isinstance(keep, str) or unknown:
            msg = f"expected keep as a list of 'events' and 'flagged', got {keep!r}"
            raise SchemaError(msg)
        historian = self._current_historian()
        historian.catch_up()
        sizes = self.ledger.archive_sizes(latest_times(historian.sources, historian.sources.position()))
        return make_plan(
            self.reader,
            open_history(self.folder / "history"),
            self.folder,
            budget=money,
            prices=prices,
            keep=keep,
            margin=margin,
            archivable=lambda cut_ns: sizes.before(cut_ns - CLOCKS_NS),
        )

    def preview_retention(self: _Twin) -> RetentionPreview:
        """Return what `apply_retention` would change now, by asset type and signal, and the bytes before and after; nothing is changed.

        Raises
        ------
        SchemaError
            If ``twin.yaml`` has neither ``retention:`` nor ``storage: {codec: …}``.
        """
        from twinlab.twin.retention.applying import cut_of, preview_of  # noqa: PLC0415

        self.reload()
        rule, codec = _rules(self._model)
        historian = self._current_historian()
        historian.catch_up()
        view = open_history(self.folder / "history")
        archived = None
        if rule is not None and rule.ledger == "archive":
            times = latest_times(historian.sources, historian.sources.position())
            archived = self.ledger.archive_sizes(times).before(cut_of(view, rule.full_rate_ns) - CLOCKS_NS)
        return preview_of(
            self.reader, view, self.folder, rule=rule, archived=archived, codec=codec or view.catalog.codec
        )

    def apply_retention(self: _Twin, *, author: str | None = None) -> RetentionReport:
        """Do what ``retention:`` in ``twin.yaml`` says with older cells and rows, and store cells in the codec of ``storage:``.

        See `preview_retention` first. Rollups, states, counters, events and all rows of the ledger stay. The journal has a proof:
        spans, counts and hashes of what was removed, and of the values whose codec changed, who and when. From then on, rows of times
        before the cut are kept in the ledger and don't change the history. Files that were replaced stay for 24 h, because readers
        may use them; the next `compact` removes them.

        Parameters
        ----------
        author : str, optional
            Who decided; the user of this computer by default.

        Raises
        ------
        SchemaError
            If ``twin.yaml`` has neither ``retention:`` nor ``storage: {codec: …}``.
        HistoryConflictError
            If another process is writing this twin's history.
        """
        from twinlab.twin.retention.applying import cut_of, decide  # noqa: PLC0415

        self.reload()
        rule, codec = _rules(self._model)
        history = self.folder / "history"
        who = author or getpass.getuser()
        historian = self._current_historian()
        historian.catch_up()
        report = RetentionReport()
        if rule is not None:
            proof = historian.apply_retention(decide(self.reader, lambda: open_history(history), rule, author=who))
            report = RetentionReport(str(proof["id"]), str(proof["before"]), tuple(proof["parts"]))
        if codec is not None:
            now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
            report = replace(report, recoded=historian.recode(codec, {"author": who, "decided": now}))
        if rule is not None and rule.ledger == "archive":
            cut_ns = cut_of(open_history(history), rule.full_rate_ns)
            times = latest_times(historian.sources, historian.sources.position())
            moved = self.ledger.archive(self.folder / rule.archive, before_ns=cut_ns - CLOCKS_NS, times=times)
            if moved:
                names = [f"{path.parent.name}/{path.name}" for path in moved]
                self.ledger.journal.append("archived", {"id": report.id, "author": who, "files": names})
            report = replace(report, archived=tuple(moved))
        return report


@dataclass(frozen=True)
class RetentionReport:
    """What was changed, as the twin's journal proves it."""

    id: str = ""
    """Of the removal; empty if there was none."""
    before: str = ""
    """Cells before this instant were removed or rounded."""
    parts: tuple[dict[str, Any], ...] = ()
    """Of each signal: span, numbers of cells that went and stayed, and the SHA-256 of those that went."""
    archived: tuple[Path, ...] = ()
    """Parquet files with rows of the ledger that were moved to the archive."""
    recoded: Mapping[str, Any] | None = None
    """The codec that cells got, and of each signal its bytes before and after, and the SHA-256 of its values; None if no codec
    changed."""

    def __str__(self) -> str:
        texts = []
        if self.id:
            gone, stayed = (sum(int(one[key]) for one in self.parts) for key in ("removed", "kept"))
            texts.append(f"retention {self.id}: {gone:,} cells before {self.before} went, {stayed:,} stay")
        if self.recoded is not None:
            before, after = (
                sum(int(one[key]) for one in self.recoded["parts"]) for key in ("bytes_before", "bytes_after")
            )
            texts.append(
                f"values of cells are stored with {self.recoded['codec']}: {format_bytes(before)} became {format_bytes(after)}"
            )
        if self.archived:
            size = format_bytes(sum(path.stat().st_size for path in self.archived))
            texts.append(f"old rows of the ledger are in {len(self.archived):,} files in the archive, {size}")
        return "; ".join([*texts, "the proof is in the journal"]) if texts else "nothing is to be changed"


def _prices(model: TwinModel, price: str | None, archive_price: str | None) -> tuple[Price, Price]:
    """Return the prices of a plan, of the folder and of the archive: those that are given, else those of ``twin.yaml``."""
    stated = model.storage
    own, archive = price, archive_price
    if own is None and stated is not None:
        own, archive = stated.price, archive_price or stated.archive_price
    if own is None:
        msg = (
            'expected a price of storage; give it to the call, as in plan_retention(budget, price="0.02 EUR/GB/month"), '
            "or state it in twin.yaml: `storage: {price: 0.02 EUR/GB/month}`"
        )
        raise SchemaError(msg)
    try:
        folder, elsewhere = Price.parse(own), Price.parse(archive or own)
    except ValueError as error:
        raise SchemaError(str(error)) from error
    if folder.currency != elsewhere.currency:
        msg = f"expected archive_price in {folder.currency} as price, got {archive!r}"
        raise SchemaError(msg)
    return folder, elsewhere


def _rules(model: TwinModel) -> tuple[RetentionRule | None, Codec | None]:
    """Return the rule and the codec that ``twin.yaml`` states."""
    codec = None if model.storage is None else model.storage.codec
    if model.retention is None and codec is None:
        msg = (
            "expected `retention:` in twin.yaml, such as `retention: {full_rate: 90d}`, or a codec, such as "
            "`storage: {codec: zstd 19}`; twin.plan_retention(budget) finds what suits the twin and proposes it"
        )
        raise SchemaError(msg)
    return model.retention, codec
