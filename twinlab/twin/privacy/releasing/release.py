"""One release: rows for a purpose, in groups or as counts with noise, attacked before the file is there."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from twinlab._locks import Lock
from twinlab.errors import PurposeError, SchemaError
from twinlab.model.privacy.policy import Policy
from twinlab.twin.privacy.keys import key_folder
from twinlab.twin.privacy.recording import AUDIT, PrivacyAudit
from twinlab.twin.privacy.releasing.budget import charge
from twinlab.twin.privacy.releasing.files import publish, read_back, sha256_of, write_draft
from twinlab.twin.privacy.releasing.groups import PEOPLE, counted, in_groups
from twinlab.twin.privacy.releasing.linkage import POINTS, AttackResult, linkage_attack
from twinlab.twin.privacy.releasing.noise import bounded, noisy_counts
from twinlab.twin.privacy.releasing.rows import PersonRows, coarse, rows_of

if TYPE_CHECKING:
    import pandas as pd

    from twinlab.model.privacy.section import PrivacyRule
    from twinlab.twin.privacy.protocol import WholeTwin

__all__ = ["Receipt", "release"]

#: Column with the pseudonyms of a file whose rows can be linked.
PERSON = "person"


@dataclass(frozen=True)
class Receipt:
    """What was released, as the audit has it."""

    id: str
    file: Path
    sha256: str
    purpose: str
    recipient: str
    rows: int
    withheld: int
    """Rows that too few people share, and which aren't in the file."""
    group_size: int
    """Least number of people of a row."""
    epsilon: float | None
    """Privacy loss of the counts; None without noise."""
    risk: float
    """Share of people whom the attack found in the file."""
    targets: int
    """People who were attacked."""

    def __str__(self) -> str:
        noise = "" if self.epsilon is None else f", noise with epsilon {self.epsilon:g}"
        return (
            f"Release {self.id} for {self.purpose} to {self.recipient}: {self.rows:,} rows in {self.file}, {self.withheld:,} withheld, at least "
            f"{self.group_size} people a row{noise}. An attack with {POINTS} known points of {self.targets:,} people finds {self.risk:.1%}."
        )


@dataclass(frozen=True)
class Wanted:
    """What is to be released."""

    what: str
    purpose: str
    recipient: str
    fields: Sequence[str] | None = None
    by: Sequence[str] | None = None
    start: object = None
    stop: object = None
    noise: bool = False
    most: int = 1
    """With noise: rows of a person that count, at most."""
    linked: bool = False
    who: str = "local"


def release(twin: WholeTwin, to: Path, wanted: Wanted) -> Receipt:
    """Release data; see `Twin.release`."""
    rule = _rule(twin)
    policy = Policy(twin.model, wanted.purpose)
    if to.exists():
        msg = f"expected a new file to release to, {to} exists; choose another name"
        raise SchemaError(msg)
    folder = twin.folder / AUDIT
    folder.mkdir(exist_ok=True)
    with Lock(folder / "release.lock", what=f"releases of {twin.folder}", wait=60.0):
        exact = rows_of(twin, policy, wanted.what, wanted.fields, start=wanted.start, stop=wanted.stop)
        return _Release(twin, rule, policy, exact, to=to, wanted=wanted).run()


def _rule(twin: WholeTwin) -> PrivacyRule:
    rule = twin.model.privacy
    if rule is None or rule.controller is None:
        msg = "expected an owner of released data: write `privacy: {controller: ...}` in twin.yaml"
        raise SchemaError(msg)
    return rule


class _Release:
    """The steps of one release."""

    def __init__(
        self, twin: WholeTwin, rule: PrivacyRule, policy: Policy, exact: PersonRows, *, to: Path, wanted: Wanted
    ) -> None:
        self.twin, self.rule, self.policy, self.exact, self.to, self.wanted = twin, rule, policy, exact, to, wanted
        self.id = uuid.uuid4().hex[:12]
        self.audit = PrivacyAudit(twin.folder)
        self.generalise = coarse(policy.purpose.precision, exact.position)
        self.epsilon = rule.release.epsilon if wanted.noise else None
        self.pseudonyms: dict[str, str] = {}
        self.true_counts: pd.Series | None = None

    def run(self) -> Receipt:
        table, withheld = self._table()
        metadata = self._metadata(len(table))
        draft = write_draft(table, self.to, metadata)
        try:
            attack = self._attack(self._with_true_counts(read_back(draft, table)))
            limit = self.rule.release.risk
            if attack.risk > limit:
                self._note("refused", {"risk": attack.risk, "rows": len(table)})
                msg = (
                    f"expected a file in which an attacker with {POINTS} known points finds at most {limit:.1%} of people, this one gives away "
                    f"{attack.risk:.1%} of {attack.targets:,}; nothing was released. Release counts (by=), a coarser precision of the purpose, "
                    "or larger groups (privacy.release.group_size)"
                )
                raise PurposeError(msg)
            receipt = Receipt(
                self.id, self.to, sha256_of(draft), self.wanted.purpose, self.wanted.recipient, len(table), withheld,
                self.rule.release.group_size, self.epsilon, attack.risk, attack.targets,
            )  # fmt: skip
            # The row is there before the file: a file without a row would be a leak that nobody knows of.
            self._note("released", {
                "file": str(self.to.resolve()), "sha256": receipt.sha256, "rows": receipt.rows, "risk": attack.risk,
                "group_size": receipt.group_size, "fields": list(map(str, table.columns)),
            })  # fmt: skip
            publish(draft, self.to, {**metadata, "sha256": receipt.sha256})
        finally:
            draft.unlink(missing_ok=True)
        return receipt

    def _table(self) -> tuple[pd.DataFrame, int]:
        """Return what is released, and how many rows aren't."""
        people, least, wanted = self.exact.people, self.rule.release.group_size, self.wanted
        rows = self.generalise(self.exact.table)
        if wanted.by is not None:
            return self._counts(rows, people, list(wanted.by), least)
        if wanted.linked:
            pseudonyms = key_folder(self.twin.folder, self.twin.model).pseudonyms()
            purpose = f"release {self.id}"
            self.pseudonyms = {name: pseudonyms(purpose, 0, name) for name in people.unique()}
            linked = rows.assign(**{PERSON: people.map(self.pseudonyms).to_numpy()}).drop_duplicates()
            return linked.sort_values([PERSON, *rows.columns]).reset_index(drop=True), 0
        kept = in_groups(rows, people, least)
        whole = len(rows.assign(**{PEOPLE: people.to_numpy()}).drop_duplicates())
        return kept, whole - len(kept)

    def _counts(self, rows: pd.DataFrame, people: pd.Series, by: list[str], least: int) -> tuple[pd.DataFrame, int]:
        unknown = [name for name in by if name not in rows.columns]
        if unknown:
            msg = f"by: expected columns of the release, got {unknown[0]!r}; known: {', '.join(rows.columns)}"
            raise SchemaError(msg)
        if self.epsilon is not None:
            once = rows[by].assign(**{PEOPLE: people.to_numpy()}).drop_duplicates()
            rows, people = bounded(once[by], once[PEOPLE], self.wanted.most)
        found = counted(rows, people, by)
        kept = found[found[PEOPLE] >= least].reset_index(drop=True)
        withheld = len(found) - len(kept)
        if self.epsilon is not None:
            charge(
                self.twin.folder,
                self.twin.model,
                self.wanted.purpose,
                self.epsilon,
                number=self.id,
                who=self.wanted.who,
            )
            self.true_counts = kept[PEOPLE].copy()
            kept[PEOPLE] = noisy_counts(kept[PEOPLE].to_numpy(), most=self.wanted.most, epsilon=self.epsilon)
        return kept, withheld

    def _with_true_counts(self, released: pd.DataFrame) -> pd.DataFrame:
        """Return what the file has, with the counts before noise: how likely a guess is right depends on these."""
        return released if self.true_counts is None else released.assign(**{PEOPLE: self.true_counts.to_numpy()})

    def _attack(self, released: pd.DataFrame) -> AttackResult:
        linked, count = (PERSON if self.wanted.linked else None), (PEOPLE if self.wanted.by is not None else None)
        columns = [name for name in released.columns if name not in (linked, count)]
        return linkage_attack(
            released, self.exact.table[columns], self.exact.people, self.generalise, known_as=self.pseudonyms,
            pseudonym=linked, count=count,
        )  # fmt: skip

    def _metadata(self, rows: int) -> dict[str, object]:
        purpose = self.policy.purpose
        return {
            "id": self.id, "twin": self.twin.model.twin, "owner": self.rule.controller, "contact": self.rule.contact,
            "purpose": self.wanted.purpose, "description": purpose.description, "legal_basis": purpose.legal_basis,
            "recipient": self.wanted.recipient, "terms": self.rule.release.terms, "what": self.wanted.what, "rows": rows,
            "group_size": self.rule.release.group_size, "epsilon": self.epsilon,
            "precision": purpose.precision.model_dump(exclude_none=True),
        }  # fmt: skip

    def _note(self, outcome: str, what: dict[str, object]) -> None:
        wanted = self.wanted
        row = {"id": self.id, "purpose": wanted.purpose, "recipient": wanted.recipient, "outcome": outcome, **what}
        self.audit.append({"kind": "release", "who": [wanted.who], "what": row})
