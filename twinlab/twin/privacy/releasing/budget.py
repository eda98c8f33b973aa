"""The privacy budget of a purpose: what its releases with noise have cost, as the audit has it."""

from __future__ import annotations

from pathlib import Path

from twinlab.errors import PurposeError
from twinlab.model.twinmodel import TwinModel
from twinlab.twin.privacy.recording import PrivacyAudit

__all__ = ["charge", "spent_by_purpose"]

#: Outcome of the row that is written before noise is drawn: what was charged stays charged, whatever becomes of the file.
CHARGED = "charged"


def spent_by_purpose(folder: Path) -> dict[str, float]:
    """Return purpose -> privacy loss (epsilon) of all its releases, as the audit has them; the audit is read once."""
    found: dict[str, float] = {}
    for row in PrivacyAudit(folder).rows("release"):
        if row.what.get("outcome") == CHARGED:
            purpose = str(row.what["purpose"])
            found[purpose] = found.get(purpose, 0.0) + float(row.what["epsilon"])
    return found


def charge(folder: Path, model: TwinModel, purpose: str, epsilon: float, *, number: str, who: str) -> float:
    """Charge a release, durably; return what is left. The caller has the lock of releases.

    Raises
    ------
    PurposeError
        If the budget doesn't allow it.
    """
    limits = model.privacy.release if model.privacy is not None else None
    budget = 0.0 if limits is None else limits.budget
    used = spent_by_purpose(folder).get(purpose, 0.0)
    if used + epsilon > budget * (1 + 1e-9):
        msg = (
            f"expected a release for {purpose!r} within its privacy budget: {used:g} of {budget:g} is spent, and this one costs {epsilon:g}; "
            "release less often, with a smaller epsilon, or decide about privacy.release.budget in twin.yaml"
        )
        raise PurposeError(msg)
    what = {"id": number, "purpose": purpose, "epsilon": epsilon, "outcome": CHARGED}
    PrivacyAudit(folder).append({"kind": "release", "who": [who], "what": what})
    return budget - used - epsilon
