"""Solutions of the security officer's exercises."""

from __future__ import annotations

import shutil
import tempfile
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from twinlab.control.audit import search, verify_audit
from twinlab.learn.comparing import Slip, Solution
from twinlab.learn.exercise import find_exercise
from twinlab.model.access import ReadField, parse_policy
from twinlab.signing.keys import KeyRingFile

if TYPE_CHECKING:
    from twinlab.signing.keys import Role
    from twinlab.twin import Twin

__all__ = ["CHECKS"]


def _refused(twin: Twin) -> Solution:
    rows = list(search.find_rows(twin.folder / "audit", search.RowFilter()))

    def most(kind: str) -> str:
        return Counter(name for row in rows if row.kind == kind for name in row.who).most_common(1)[0][0]

    return Solution(
        most("access refused"),
        "Count the names in rows of the kind 'access refused', and take the most frequent.",
        (
            Slip(most("login refused"), "That person's login was refused most often: look at the kind 'access refused'."),
            Slip(Counter(name for row in rows for name in row.who).most_common(1)[0][0], "That name is most frequent in all rows: look at the kind 'access refused' only."),
        ),
    )  # fmt: skip


def _changed_row(twin: Twin) -> Solution:
    def broken(name: str) -> int:
        with tempfile.TemporaryDirectory() as scratch:
            copy = Path(scratch) / "audit"
            shutil.copytree(twin.folder / "audit", copy)
            file = next(copy.rglob("*.jsonl"))
            file.write_text(file.read_text(encoding="utf-8").replace(name, "viewer-9", 1), encoding="utf-8")
            return verify_audit(copy).broken or 0

    intact = verify_audit(twin.folder / "audit")
    faults = () if intact.intact else (
        f"The audit itself is broken at row {intact.broken}: change a copy only. Begin again with tl.learn.twin(…, fresh=True).",
    )  # fmt: skip
    changed = broken("operator-2")
    return Solution(
        changed,
        "Rewrite the first operator-2 in a fresh copy, verify the copy, and answer with the row at which it is broken.",
        (
            Slip(broken("viewer-2"), "That is the answer to the example: rewrite operator-2."),
            Slip(changed + 1, "That is the row after it: the first row that differs is the one that was changed."),
            Slip(intact.rows, "That is the number of rows."),
        ),
        faults=faults,
    )


def _who_signs(twin: Twin) -> Solution:
    ring = KeyRingFile(twin.folder / "keys.yaml").read()
    valid = {name for name, person in ring.people.items() if any(key.revoked is None for key in person.keys)}

    def people(role: Role) -> frozenset[str]:
        return frozenset(name for name, person in ring.people.items() if role in person.roles)

    return Solution(
        people("operator") & valid,
        "Take people with the role operator who have a key that isn't revoked.",
        (
            Slip(people("dispatcher") & valid, "Those sign as dispatchers: ask for operators."),
            Slip(people("operator"), "Somebody among them has only a revoked key: it doesn't count any more."),
        ),
    )


def _who_reads(_twin: Twin) -> Solution:
    # The policy is the text's own.
    text = find_exercise("security-officer.who-reads").example.split('"""')[1]
    policy = parse_policy(text)

    def readers(purpose: str | None) -> frozenset[str]:
        asked = ReadField("shift", "driver", "personal", purposes=("dispatch", "payroll"), purpose=purpose)
        return frozenset(role for role in policy.roles if policy.decide([role], asked))

    stated = frozenset(name for name in policy.roles if "payroll" in policy.purposes([name], known=("payroll",)))
    return Solution(
        readers("payroll"),
        "Ask with the purpose payroll; a role has to reach the class personal, too.",
        (
            Slip(readers("dispatch"), "Those read it for dispatch: ask for payroll."),
            Slip(stated, "Somebody among them has the purpose, and doesn't reach personal data."),
        ),
    )  # fmt: skip


CHECKS = {
    "refused": _refused, "changed-row": _changed_row, "who-signs": _who_signs, "who-reads": _who_reads,
}  # fmt: skip
