"""Solutions of the IT engineer's exercises."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from twinlab.apps.rights.pages import stated_roles
from twinlab.demos import ParcelSize, demo
from twinlab.learn.comparing import Slip, Solution
from twinlab.model.access import DEFAULT_POLICY, SeePage
from twinlab.twin import open_twin

if TYPE_CHECKING:
    from twinlab.twin import Twin

__all__ = ["CHECKS"]


def _original() -> Twin:
    """Return the demo twin of which the exercises have copies."""
    return demo("parcel", size=ParcelSize.small())


def _damage(twin: Twin) -> Solution:
    report, before = twin.verify(), _original().verify()
    damaged = sorted({name for one in report.problems for name in ("dispatch", "erp", "fleetbox", "fridges", "roadtrace")
                      if f"/{name}/" in one.what.replace("\\", "/")})  # fmt: skip
    faults = []
    if report.ok:
        faults.append("The copy is intact: change a byte in the ledger of fleetbox first, then verify it.")
    elif damaged != ["fleetbox"]:
        faults.append(f"Damaged is: {', '.join(damaged)}. Begin with a fresh copy, and change a byte of fleetbox only.")
    return Solution(
        before.rows - report.rows,
        "Subtract the rows that are read after the damage from those before it.",
        (
            Slip(report.rows, "Those are the rows that can still be read."),
            Slip(before.rows, "Those are all rows, before the damage."),
            Slip(len(report.problems), "That is the number of problems: answer with the rows that can't be read."),
        ),
        faults=tuple(faults),
    )


def _restore_drill(twin: Twin) -> Solution:
    restored = twin.folder.with_name("restore-drill-restored")
    before = _original().folder
    faults = []
    if not (restored / "twin.yaml").is_file():
        faults.append(f"There is no restored twin in {restored.name} beside the copy yet: restore the backup there.")
    elif (twin.folder / "ledger" / "erp").exists():
        faults.append("The copy's ledger is still there: the drill is to lose it, and to bring it back.")
    elif not open_twin(restored).verify().ok:
        faults.append("The restored twin doesn't verify: back up before you delete, and restore into a new folder.")

    def segments(folder: Path) -> int:
        return sum(1 for _ in folder.glob("ledger/*/*.seg"))

    found = segments(restored)
    if not faults and found != segments(before):
        faults.append(f"The restored ledger has {found} segments, the twin before the loss had another number.")
    return Solution(
        found,
        "Count the files *.seg in the folders of the restored ledger.",
        (
            Slip(sum(1 for _ in (before / "mapping").iterdir()), "Those are the mappings of the example: count the ledger's segments."),
            Slip(sum(1 for one in before.glob("ledger/**/*") if one.is_file()), "Those are all files of the ledger, copies of source files too: count the segments."),
        ),
        faults=tuple(faults),
    )  # fmt: skip


def _who_sees(twin: Twin) -> Solution:
    stated = stated_roles()

    def roles(page: str) -> frozenset[str]:
        asked = SeePage(page, stated=stated.get(page, ()))
        return frozenset(role for role in DEFAULT_POLICY.roles if DEFAULT_POLICY.decide([role], asked))

    has_file = (twin.folder / "access.yaml").is_file()
    return Solution(
        roles("what_if"),
        "Ask the usual policy for the page what_if."
        + (" The twin has an access.yaml: leave it out." if has_file else ""),
        (
            Slip(roles("history"), "Those open the example's page: ask for what_if."),
            Slip(roles("outlook"), "Those open Outlook: ask for what_if."),
            Slip(frozenset(DEFAULT_POLICY.roles), "Those are all roles: some of them aren't allowed to."),
        ),
    )


def _export(twin: Twin) -> Solution:
    def rows(asset_type: str, signal: str, stop: str) -> int:
        sizes = twin.history(asset_type, signals=[signal], start="2026-03-25", stop=stop).sizes
        return int(sizes["time"] * sizes["asset"])

    return Solution(
        rows("cold_room", "temperature", "2026-03-28"),
        "Export temperature of cold_room from 25 March until 28 March, and count the rows that pandas reads.",
        (
            Slip(rows("forklift", "battery", "2026-03-26"), "That is the answer to the example."),
            Slip(rows("forklift", "battery", "2026-03-28"), "Those are rows of forklifts: export the cold rooms."),
            Slip(rows("cold_room", "temperature", "2026-03-26"), "That is one day: export three."),
            Slip(
                rows("cold_room", "temperature", "2026-03-29"),
                "The stop isn't included: until 28 March are three days.",
            ),
        ),
    )


CHECKS = {"damage": _damage, "restore-drill": _restore_drill, "who-sees": _who_sees, "export": _export}
