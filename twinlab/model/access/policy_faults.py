"""What of a policy doesn't fit the twin's model and pages: names that nothing has."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from twinlab.errors import UnknownTermError
from twinlab.model.access.policy import ANY, AccessPolicy, AssetGroup, RoleRule
from twinlab.model.check import Finding
from twinlab.model.terms import nearest
from twinlab.model.twinmodel import TwinModel

__all__ = ["policy_faults"]


def policy_faults(policy: AccessPolicy, model: TwinModel, *, pages: Iterable[str]) -> list[Finding]:
    """Return each name in a policy that neither the model nor the pages have, with its path.

    Parameters
    ----------
    policy : AccessPolicy
    model : TwinModel
    pages : iterable of str
        Names of all pages.

    Returns
    -------
    list of Finding
        Empty if everything fits; `twinlab.model.load.refuse` makes one error of them, with lines.
    """
    found: list[Finding] = []
    names, purposes, commands = list(pages), list(model.purposes), _known_commands(model)
    for role, rule in policy.roles.items():
        where = ("roles", role)
        found += _unknown(rule.pages or (), names, (*where, "pages"), "page")
        found += _unknown(rule.purposes, purposes, (*where, "purposes"), "purpose")
        found += _unknown(rule.commands, commands, (*where, "commands"), "command")
        found += _unknown_groups(rule, model, where)
    return found


def _known_commands(model: TwinModel) -> list[str]:
    commands: Mapping[str, Mapping[str, object]] = model.commands
    pairs = [(kind, parameter) for kind, parameters in commands.items() for parameter in parameters]
    kinds = [f"{kind}.{ANY}" for kind in commands]
    parameters = [f"{ANY}.{parameter}" for _, parameter in pairs]
    return [*(f"{kind}.{parameter}" for kind, parameter in pairs), *kinds, *dict.fromkeys(parameters), f"{ANY}.{ANY}"]


def _unknown_groups(rule: RoleRule, model: TwinModel, where: tuple[str, str]) -> list[Finding]:
    found: list[Finding] = []
    for place, group in enumerate(rule.assets or ()):
        here = (*where, "assets", place)
        found += _unknown([group.type], list(model.asset_types), (*here, "type"), "asset type", single=True)
        found += _unknown(list(group.where), _properties(group, model), (*here, "where"), "property", single=True)
    return found


def _properties(group: AssetGroup, model: TwinModel) -> list[str]:
    kinds = [kind for name, kind in model.asset_types.items() if group.covers(name)]
    return list(dict.fromkeys(name for kind in kinds for name in kind.properties))


def _unknown(
    names: Iterable[str], known: Iterable[str], path: tuple[str | int, ...], what: str, *, single: bool = False
) -> list[Finding]:
    listed = list(known)
    return [
        Finding(
            path if single else (*path, place), UnknownTermError, f"there is no {what} {name!r}{nearest(name, listed)}"
        )
        for place, name in enumerate(names)
        if name != ANY and name not in listed
    ]
