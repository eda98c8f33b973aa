"""The access policy of a twin, and the one function that decides."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field

from twinlab.model.access.questions import Decision, Question, ReadAsset, ReadField, SeePage, SendCommand
from twinlab.model.access.roles import Role
from twinlab.model.basics import AssetName, Model, is_pattern, term, yaml_text
from twinlab.model.privacy.classes import PERSONAL, RANKS, Sensitivity

__all__ = ["ANY", "DEFAULT_POLICY", "AccessPolicy", "AssetGroup", "RoleRule"]

#: In a list: everything.
ANY = "*"


def _term_or_any(text: str) -> str:
    return text if text == ANY else term(text)


def _command(text: str) -> str:
    kind, dot, parameter = text.partition(".")
    if text == ANY:
        return text
    if not dot:
        msg = f"expected a command as ASSET_TYPE.PARAMETER, such as 'forklift.max_speed', 'forklift.*' or '*', got {text!r}"
        raise ValueError(msg)
    return f"{_term_or_any(kind)}.{_term_or_any(parameter)}"


def _list(given: object) -> object:
    return [given] if isinstance(given, (str, int, float)) else given


Name = Annotated[str, AfterValidator(_term_or_any)]
Purpose = Annotated[str, BeforeValidator(yaml_text), Field(pattern=r"^(\*|[a-z][a-z0-9_-]{0,63})$")]
Value = Annotated[str, BeforeValidator(yaml_text)]


class AssetGroup(Model):
    """Assets of one type, or of all types.

    >>> cold = AssetGroup.model_validate({"type": "cold_room", "ids": ["/^R0/"], "where": {"site": "north"}})
    >>> cold.has(ReadAsset("cold_room", "R01", {"site": "north"})), cold.has(ReadAsset("cold_room", "R01"))
    (True, False)
    """

    type: Name
    """Asset type; "*" for all."""
    ids: Annotated[list[AssetName] | None, BeforeValidator(_list)] = None
    """Asset ids, or patterns of ids between slashes: "/^R0/". Without it, all assets of the type."""
    where: dict[Annotated[str, AfterValidator(term)], Annotated[list[Value], BeforeValidator(_list)]] = Field(
        default_factory=dict
    )
    """Property -> the value, or a list of values, that an asset of the group has. An asset without a value isn't in it."""

    def covers(self, asset_type: str) -> bool:
        """Return whether assets of a type can be in the group."""
        return self.type in (ANY, asset_type)

    @property
    def is_whole(self) -> bool:
        """Whether all assets of the type are in the group."""
        return self.ids is None and not self.where

    def has(self, asset: ReadAsset) -> bool:
        """Return whether an asset is in the group."""
        if not self.covers(asset.asset_type):
            return False
        if self.ids is not None and not any(_matches(name, asset.asset) for name in self.ids):
            return False
        return all(_text(asset.properties.get(key)) in wanted for key, wanted in self.where.items())


class RoleRule(Model):
    """What people in one role may do."""

    pages: Annotated[list[Name] | None, BeforeValidator(_list)] = None
    """Pages by name; "*" for all. Without it, those pages that state the role themselves."""
    assets: list[AssetGroup] | None = None
    """Groups of assets; an asset has to be in one of them. Without it, all assets."""
    sensitivity: Sensitivity = "internal"
    """The highest sensitivity of signals, properties and event fields: open, internal, personal or sensitive."""
    purposes: Annotated[list[Purpose], BeforeValidator(_list)] = Field(default_factory=list)
    """Purposes for which the role reads, the usual one first; "*" for all. A field that states purposes in ``twin.yaml`` is
    seen for one of them only, a personal field never without one."""
    commands: Annotated[list[Annotated[str, AfterValidator(_command)]], BeforeValidator(_list)] = Field(
        default_factory=list
    )
    """Commands as ASSET_TYPE.PARAMETER, with "*" for all: "forklift.max_speed", "forklift.*", "*"."""

    def allows(self, role: str, question: Question) -> bool:
        """Return whether this rule, of a role, answers a question with yes."""
        match question:
            case SeePage():
                return role in question.stated if self.pages is None else _lists(self.pages, question.page)
            case ReadAsset():
                return self.assets is None or any(group.has(question) for group in self.assets)
            case SendCommand():
                kind, parameter = question.asset.asset_type, question.parameter
                listed = {ANY, f"{kind}.{ANY}", f"{ANY}.{parameter}", f"{ANY}.{ANY}", f"{kind}.{parameter}"}
                return not listed.isdisjoint(self.commands) and self.allows(role, question.asset)
            case ReadField():
                return self._reads(role, question)

    def _reads(self, role: str, field: ReadField) -> bool:
        if field.asset is not None and not self.allows(role, field.asset):
            return False
        if RANKS[field.sensitivity] > RANKS[self.sensitivity]:
            return False
        if field.purposes is None:
            # As `twinlab.model.privacy.policy.shown_for`: what is personal is shown for stated purposes only.
            return field.sensitivity not in PERSONAL
        return field.purpose in field.purposes and _lists(self.purposes, str(field.purpose))

    def covers(self, asset_type: str) -> bool:
        """Return whether the role can see any asset of a type."""
        return self.assets is None or any(group.covers(asset_type) for group in self.assets)

    def sees_all(self, asset_type: str) -> bool:
        """Return whether the role sees every asset of a type."""
        return self.assets is None or any(group.covers(asset_type) and group.is_whole for group in self.assets)


class AccessPolicy(Model):
    """A whole ``access.yaml``. A role that it doesn't name may do nothing.

    Examples
    --------
    >>> policy = AccessPolicy.model_validate({"roles": {"dispatcher": {"pages": ["now"], "commands": ["forklift.*"]}}})
    >>> bool(policy.decide(["dispatcher"], SeePage("now"))), bool(policy.decide(["viewer"], SeePage("now")))
    (True, False)
    >>> policy.decide(["dispatcher"], SeePage("quality")).reason
    "the role dispatcher may not open the page 'quality'"
    """

    roles: dict[Role, RoleRule]
    """Role -> what people in it may do."""

    def decide(self, roles: Iterable[str], question: Question) -> Decision:
        """Decide a question for somebody with some roles: yes if one of the roles alone allows all of it.

        Two roles don't add up to what neither allows: one that sees all trucks, and one that sees personal fields of
        some forklifts, don't show personal fields of trucks.

        Parameters
        ----------
        roles : iterable of str
            Roles that the policy doesn't name count for nothing.
        question : SeePage, ReadAsset, ReadField or SendCommand

        Returns
        -------
        Decision
        """
        known = dict.fromkeys(roles)
        if any(rule.allows(role, question) for role, rule in self.rules(known).items()):
            return Decision(allowed=True)
        return Decision(allowed=False, reason=f"{_roles(known)} {_refused(question)}")

    def rules(self, roles: Iterable[str]) -> Mapping[str, RoleRule]:
        """Return the rules of those roles that the policy names."""
        wanted = set(roles)
        return {role: rule for role, rule in self.roles.items() if role in wanted}

    def purposes(self, roles: Iterable[str], *, known: Iterable[str]) -> tuple[str, ...]:
        """Return the purposes for which somebody may read, of those that are known, the usual one first."""
        possible = tuple(dict.fromkeys(known))
        found: dict[str, None] = {}
        for rule in self.rules(roles).values():
            for purpose in rule.purposes:
                found |= dict.fromkeys(possible if purpose == ANY else (purpose,))
        return tuple(purpose for purpose in found if purpose in possible)


def _matches(name: str, asset: str) -> bool:
    return re.search(name[1:-1], asset) is not None if is_pattern(name) else name == asset


def _lists(entries: Iterable[str], name: str) -> bool:
    """Return whether a list names something; "*" is no name of anything, so that nobody can ask for it."""
    return name != ANY and any(entry in (ANY, name) for entry in entries)


def _text(value: object) -> str | None:
    """Return a property's value as the policy file writes it; None for a missing one."""
    if value is None or value != value:  # noqa: PLR0124  (NaN)
        return None
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def _roles(roles: Iterable[str]) -> str:
    names = list(roles)
    if not names:
        return "somebody without a role"
    return f"the role {names[0]}" if len(names) == 1 else f"the roles {', '.join(names)}"


def _refused(question: Question) -> str:
    match question:
        case SeePage():
            return f"may not open the page {question.page!r}"
        case ReadAsset():
            return f"may not see {question.asset_type}/{question.asset}"
        case SendCommand():
            asset = question.asset
            return f"may not send {question.parameter!r} to {asset.asset_type}/{asset.asset}"
        case ReadField():
            purpose = "without a purpose" if question.purpose is None else f"for the purpose {question.purpose!r}"
            return f"may not read {question.owner}.{question.name} {purpose}"


#: Without an ``access.yaml``: pages as they state it, all assets, no personal data, no commands.
DEFAULT_POLICY = AccessPolicy(
    roles={
        "viewer": RoleRule(),
        "dispatcher": RoleRule(),
        "analyst": RoleRule(),
        "steward": RoleRule(),
        "planner": RoleRule(),
        "operator": RoleRule(commands=[ANY]),
        "security": RoleRule(),
        "admin": RoleRule(pages=[ANY]),
    }
)
