"""Records of processing activities, as article 30(1) of the GDPR asks for them: made from the model, the keys and the audit."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from twinlab.model.privacy.fields import fields_of
from twinlab.model.privacy.policy import Policy, shown_for
from twinlab.twin.privacy.encrypting import states_privacy
from twinlab.twin.privacy.protocol import WholeTwin
from twinlab.twin.privacy.recording import PrivacyAudit
from twinlab.twin.privacy.releasing.budget import spent_by_purpose

if TYPE_CHECKING:
    from twinlab.model.privacy.fields import DataField
    from twinlab.model.privacy.purpose import Purpose
    from twinlab.model.twinmodel import TwinModel

__all__ = ["processing_report"]

_MISSING = "**not stated**"


def processing_report(twin: WholeTwin) -> str:
    """Return the records as Markdown."""
    model = twin.model
    lines = [f"# Records of processing: {model.title or model.twin}", ""]
    if not states_privacy(model):
        lines.append(
            "The model states no purposes: `purposes:` and `privacy:` in `twin.yaml`. Fields aren't declared, nothing is encrypted."
        )
        return "\n".join(lines) + "\n"
    rule = model.privacy
    lines += [
        f"* Controller: {rule.controller if rule and rule.controller else _MISSING + ' (`privacy.controller`)'}",
        f"* Contact: {rule.contact if rule and rule.contact else _MISSING + ' (`privacy.contact`)'}",
        f"* People with data in this twin: {len(twin.people()):,}",
        "",
    ]
    lines += ["## Purposes", ""]
    spent = spent_by_purpose(twin.folder)
    for name, purpose in model.purposes.items():
        lines += [*_purpose(model, name, purpose, spent.get(name, 0.0)), ""]
    lines += ["## Personal fields", "", "| field | class | names the person | shown for |", "|---|---|---|---|"]
    personal = [one for one in fields_of(model) if one.personal]
    lines += [_field(model, one) for one in personal]
    lines += [
        f"| column `{name}` | {one.sensitivity} | `{one.subject or name}` | no purpose; stored: {one.store} |"
        for name, one in (rule.columns if rule else {}).items() if one.sensitivity in ("personal", "sensitive")
    ]  # fmt: skip
    lines += [
        "",
        *_undecided(personal),
        "## Time limits",
        "",
        *_limits(model),
        "",
        "## Security (article 32)",
        "",
        *_security(),
        "",
    ]
    lines += ["## Recipients: what was released", "", *_released(twin)]
    return "\n".join(lines) + "\n"


def _purpose(model: TwinModel, name: str, purpose: Purpose, spent: float) -> Iterator[str]:
    policy = Policy(model, name)
    shown = [one for one in fields_of(model) if one.personal and policy.shows(one)]
    precision = ", ".join(
        f"{what} {value}"
        for what, value in (("times", purpose.precision.time), ("positions", purpose.precision.location))
        if value
    )
    identity = {
        "plain": "by name",
        "none": "not at all",
        "pseudonym": f"by pseudonym{f', another one each {purpose.epoch}' if purpose.epoch else ''}",
    }
    yield f"### {purpose.title or name}"
    yield ""
    yield f"* Description: {purpose.description}"
    yield f"* Legal basis (article 6(1)): {purpose.legal_basis}"
    yield f"* Personal fields: {', '.join(f'`{one.path}`' for one in shown) or 'none'}"
    yield f"* People appear {identity[purpose.identity]}; precision: {precision or 'as stored'}"
    yield f"* Recipients: {', '.join(purpose.recipients) or _MISSING + f' (`purposes.{name}.recipients`)'}"
    yield f"* Shown for: {purpose.retention or 'as long as it is stored'}"
    if spent and model.privacy is not None:
        yield f"* Privacy budget: {spent:g} of {model.privacy.release.budget:g} spent"


def _field(model: TwinModel, field: DataField) -> str:
    by = field.subject or ("the asset" if field.kind != "property" else field.name)
    shown = ", ".join(name for name in model.purposes if shown_for(field, name)) or "no purpose"
    return f"| `{field.path}` | {field.sensitivity} | {by} | {shown} |"


def _undecided(personal: list[DataField]) -> list[str]:
    unused = [one.path for one in personal if not one.purposes]
    if not unused:
        return []
    return [
        f"Stored without a purpose (article 5(1)(b) and (c)): {', '.join(f'`{path}`' for path in unused)}. State one, or don't store it.",
        "",
    ]


def _limits(model: TwinModel) -> list[str]:
    stated = model.privacy.retention if model.privacy is not None else {}
    return [
        f"* {kind}: {f'keys are destroyed {stated[name]} after arrival, by the month' if name in stated else _MISSING + f' (`privacy.retention.{name}`)'}"
        for kind, name in (("personal", "personal"), ("sensitive", "sensitive"))
    ]


def _security() -> list[str]:
    return [
        "* Personal columns of tables and copies of files with them are encrypted with AES-256-GCM under a key for each person and month, outside of the twin.",
        "* The history is derived and has personal data in the clear: it needs a disk that is encrypted, and no backup.",
        "* Reads for a purpose, releases, erasures and re-identifications are rows of an audit that shows any change; re-identification needs two people.",
    ]


def _released(twin: WholeTwin) -> list[str]:
    rows = [row for row in PrivacyAudit(twin.folder).rows("release") if row.what.get("outcome") == "released"]
    if not rows:
        return ["Nothing yet."]
    table = ["| when (UTC) | for | to | rows | attack finds | file (SHA-256) |", "|---|---|---|---|---|---|"]
    return table + [
        f"| {row.at[:16].replace('T', ' ')} | {row.what['purpose']} | {row.what['recipient']} | {row.what['rows']:,} | {row.what['risk']:.1%} | "
        f"`{str(row.what['sha256'])[:12]}` |"
        for row in rows
    ]
