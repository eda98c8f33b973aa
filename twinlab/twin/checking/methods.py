"""The method of `Twin` that checks its data."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from twinlab.errors import UnknownTermError
from twinlab.model.terms import nearest
from twinlab.twin.calibrations.methods import CalibrationMethods
from twinlab.twin.definitions import MAPPINGS, mapping_files
from twinlab.twin.progress import progress_bar
from twinlab.twin.revisions.methods import RevisionMethods

if TYPE_CHECKING:
    from distributed import Client

    from twinlab.twin.checking.quality_report import QualityReport

__all__ = ["CheckMethods"]


class CheckMethods(RevisionMethods, CalibrationMethods):
    """Find what is wrong with the data of a twin."""

    def check(
        self,
        *,
        start: object = None,
        stop: object = None,
        asset_types: Sequence[str] | None = None,
        signals: Sequence[str] | None = None,
        assets: Sequence[str] | None = None,
        client: Client | None = None,
    ) -> QualityReport:
        r"""Find what is wrong with the data: what, since when, how sure, what it touches, and the line that fixes it.

        Flags of the history by test, units, clocks, drift, sources that disagree, the tests in ``twin.yaml`` that the build of
        the history doesn't run, and definitions that were edited and aren't applied. Nothing is changed.

        Parameters
        ----------
        start, stop : instant, optional
            Check only this half-open span; naive is UTC. Fixes are then for this span only.
        asset_types, signals : sequence of str, optional
            Check only these; all by default.
        assets : sequence of str, optional
            Report only these assets, by id. The others are read all the same: they are what an asset is compared with.
        client : distributed.Client, optional
            Check on this Dask cluster, by signal and test; by default in this process. The report is the same.

        Returns
        -------
        QualityReport
            Its ``table`` has a row for each finding. ``twin.remap(source, report.fixed_mapping(row))`` tries a fix.

        Raises
        ------
        UnknownTermError
            If an asset type, a signal or an asset isn't known; shows the nearest.

        Examples
        --------
        >>> import tempfile, pathlib, twinlab as tl
        >>> folder = pathlib.Path(tempfile.mkdtemp())
        >>> rows = [f"2026-03-{day:02}T{hour:02}:00Z,{2 + hour / 10}\n" for day in (1, 4) for hour in range(24)]
        >>> _ = (folder / "gauge.csv").write_text("time,level (m)\n" + "".join(rows))
        >>> twin = tl.create(folder / "pilot", files=[folder / "gauge.csv"])
        >>> _ = twin.ingest(folder / "gauge.csv")
        >>> twin.check().table[["kind", "source", "tag", "asset", "signal", "confidence"]]
              kind source        tag  asset signal  confidence
        0  missing  gauge  level (m)  gauge  level         1.0
        """
        # Loaded when needed: they load numba, scipy and pandas.
        from twinlab.twin.checking import running  # noqa: PLC0415
        from twinlab.twin.checking.channels import channels_of  # noqa: PLC0415
        from twinlab.twin.checking.quality_report import QualityReport  # noqa: PLC0415

        reader = self.reader
        channels = channels_of(
            reader,
            asset_types=asset_types,
            signals=signals,
            start=start,
            stop=stop,
            calibrations=self._calibrations_now(),
        )
        ids = sorted({asset for one in channels for asset in one.assets})
        for asset in assets or ():
            if asset not in ids:
                msg = f"expected the id of an asset that is checked, got {asset!r}{nearest(asset, ids)}"
                raise UnknownTermError(msg)
        chosen = None if assets is None else tuple(assets)
        span = running.Span(start, stop, chosen, self._calibrations_now())
        checks, parts = running.Checks(reader, span, channels), running.parts_of(channels)
        found: list[running.Found] = []
        with progress_bar("check", unit=" parts") as show:
            for one in running.run_parts(parts, checks, span, client=client, twin=self):
                found.append(one)
                show(len(found), len(parts))
        files = {
            source: (f"{MAPPINGS}/{path.name}", path.read_text(encoding="utf-8"))
            for source, path in mapping_files(self.folder).items()
        }
        known = {(one.asset_type, one.name): len(one.assets) for one in channels}
        faults = running.with_origins(found, reader, checks.origins, assets=assets, files=files, known=known)
        checked = sum(len(one.assets) if assets is None else len(set(one.assets) & set(assets)) for one in channels)
        return QualityReport(
            reader.model.twin,
            (*running.definition_faults(self.edits()), *faults),
            checked,
            *running.span_of(channels),
            notes=tuple(dict.fromkeys(note for one in found for note in one.notes)),
            mappings={source: text for source, (_, text) in files.items()},
        )
