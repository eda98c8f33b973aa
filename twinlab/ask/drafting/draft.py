"""`ScenarioDraft`: a scenario that was read from a text, checked, and shown before it may run."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from html import escape
from typing import TYPE_CHECKING, Any

import pandas as pd

from twinlab.ask.drafting.planner import Proposal, ScenarioPlanner, WordScenarioPlanner, examples
from twinlab.ask.drafting.words import scenario_language
from twinlab.ask.errors import NotUnderstoodError
from twinlab.errors import SchemaError, TwinlabError
from twinlab.simulate.scenarios.scenario import Scenario

if TYPE_CHECKING:
    from twinlab.simulate.network.network import Network

__all__ = ["ScenarioDraft", "draft_changes"]

_MOST_OFFERED = 3
#: Lengths of a run that are tried, shortest first, until all windows fit in.
_HORIZONS = ("1d", "2d", "3d", "7d", "14d", "21d")


@dataclass
class ScenarioDraft:
    """A scenario that was read from a text.

    Parameters
    ----------
    text : str
        What was said.
    scenario : Scenario or None
        What was read; None if it was refused.
    base : Scenario or None
        The scenario that the changes are added to; None for the plan as it is.
    network : Network
        What the names refer to.
    now : Timestamp
        What "tomorrow" counts from.
    horizon : str
        Shortest run in which all changes are in effect.
    language : str
        Code of the text's language.
    read : tuple of (str, tuple of str)
        Part of the text, and the changes that it is, in words.
    notes : tuple of str
        What was assumed.
    reason : str or None
        Why there is no scenario.
    suggestions : tuple of str
        Texts that are understood.
    """

    text: str
    scenario: Scenario | None
    base: Scenario | None
    network: Network
    now: pd.Timestamp
    horizon: str = "1d"
    language: str = "en"
    read: tuple[tuple[str, tuple[str, ...]], ...] = ()
    notes: tuple[str, ...] = ()
    reason: str | None = None
    suggestions: tuple[str, ...] = ()
    _shown: bool = False
    _simulate: Callable[..., Any] | None = field(default=None, repr=False)
    _quote: Callable[..., Any] | None = field(default=None, repr=False)

    @property
    def valid(self) -> bool:
        """Whether there is a scenario that can run."""
        return self.scenario is not None

    @property
    def yaml(self) -> str:
        """The scenario as YAML; "" if it was refused."""
        return "" if self.scenario is None else self.scenario.to_yaml()

    @property
    def diff(self) -> str:
        """What the text changes in the YAML of the base, as a unified diff; "" if it was refused."""
        if self.scenario is None:
            return ""
        before = Scenario(self.scenario.name) if self.base is None else self.base
        name = "base" if self.base is None else self.base.name
        return "".join(
            difflib.unified_diff(
                before.to_yaml().splitlines(keepends=True),
                self.yaml.splitlines(keepends=True),
                name,
                self.scenario.name,
            )
        )

    def bind(self, *, simulate: Callable[..., Any], quote: Callable[..., Any]) -> None:
        """Set what `run` and `quote` call: methods of a twin."""
        self._simulate, self._quote = simulate, quote

    def quote(self, **options: Any) -> Any:  # noqa: ANN401  (a Quote; options of `simulate`)
        """Return what a run would take, from its first futures: seconds, energy, money, bytes.

        Raises
        ------
        SchemaError
            If the text was refused, or the draft is of a network alone.
        """
        return self._called(self._quote)(self.scenario, start=self.now, **{"horizon": self.horizon, **options})

    def run(self, **options: Any) -> Any:  # noqa: ANN401  (results; options of `simulate`)
        """Simulate the scenario beside the base; see ``simulate``.

        Parameters
        ----------
        **options
            Those of ``simulate``, such as ``replications`` and ``budget``.

        Raises
        ------
        SchemaError
            If the text was refused, or nobody has looked at the draft: print it, or let a notebook show it, first.
        """
        simulate = self._called(self._simulate)
        if not self._shown:
            msg = "the draft hasn't been looked at; show it (`print(draft)`, or the last line of a cell), then run it"
            raise SchemaError(msg)
        return simulate(self.scenario, start=self.now, **{"horizon": self.horizon, **options})

    def _called(self, call: Callable[..., Any] | None) -> Callable[..., Any]:
        if self.scenario is None:
            msg = f"the text was refused, so that nothing can run: {self.reason}"
            raise SchemaError(msg)
        if call is None:
            msg = "the draft is of a network alone; simulate it with `twinlab.simulate.run({draft.scenario.name: draft.scenario})`"
            raise SchemaError(msg)
        return call

    def __repr__(self) -> str:
        state = "refused" if self.scenario is None else f"{len(self.scenario.changes)} changes"
        return f"<ScenarioDraft of {self.text[:60]!r}: {state}; print it to look at it>"

    def __str__(self) -> str:
        say = scenario_language(self.language).sentence
        if self.scenario is None:
            lines = [say("refused", reason=self.reason)]
            if self.suggestions:
                lines += [say("nearest"), *(f"  {one}" for one in self.suggestions)]
            return "\n".join(lines)
        self._shown = True
        lines = [say("title", name=self.scenario.name, now=f"{self.now:%Y-%m-%d %H:%M}", horizon=self.horizon)]
        for part, changes in self.read:
            lines += [f"  “{part}”", *(f"    -> {one}" for one in changes)]
        if self.notes:
            lines += [say("assumed"), *(f"  {one}" for one in self.notes)]
        return "\n".join([*lines, self.diff.rstrip(), say("not_run")])

    def _repr_html_(self) -> str:
        return f"<pre>{escape(str(self))}</pre>"


def draft_changes(
    text: str,
    network: Network,
    *,
    now: object,
    name: str = "draft",
    on: Scenario | None = None,
    titles: Mapping[str, str] | None = None,
    language: str | None = None,
    planner: ScenarioPlanner | None = None,
    check: Callable[[Scenario, str], None] | None = None,
) -> ScenarioDraft:
    """Return the scenario that a text says, checked against a network; nothing runs.

    Parameters
    ----------
    text : str
        In English or German: "close hub_north tomorrow from 6 to 12".
    network : Network
        What its names refer to.
    now : instant
        What "tomorrow" counts from: the start of a run; naive is UTC.
    name : str
        Of the new scenario.
    on : Scenario, optional
        A scenario that the changes are added to.
    titles : mapping of node to str, optional
        Names of nodes for people.
    language : str, optional
        "en" or "de"; by default that of the text.
    planner : ScenarioPlanner, optional
        What proposes the changes; by default `WordScenarioPlanner`.
    check : callable, optional
        Called with the scenario and the horizon; raises what else doesn't fit.

    Returns
    -------
    ScenarioDraft
        With a ``reason`` instead of a ``scenario`` if it is refused.

    Examples
    --------
    >>> from twinlab.simulate.network import Network
    >>> hubs = Network(name="two", nodes={"north": {"type": "hub", "servers": 2}, "south": {"type": "hub"}})
    >>> draft = draft_changes("close north tomorrow from 6 to 12 o'clock", hubs, now="2026-03-02T08:00")
    >>> draft.scenario.changes[0].start, draft.horizon
    ('2026-03-03T06:00', '2d')
    """
    instant = pd.Timestamp(now)  # type: ignore[arg-type]
    instant = instant if instant.tzinfo is None else instant.tz_convert("UTC").tz_localize(None)
    made = ScenarioDraft(text, None, on, network, instant)
    try:
        proposal = (planner or WordScenarioPlanner()).propose(
            text, network, now=instant, titles=titles or {}, language=language
        )
    except NotUnderstoodError as error:
        made.language = error.language
        made.reason = scenario_language(error.language).sentence(error.key, **error.values)
        made.suggestions = (*error.suggestions, *_offered(made, check, titles or {}))
        return made
    made.language, made.notes = proposal.language, tuple(proposal.notes)
    try:
        made.horizon = _accept(made, proposal, name, check)
    except TwinlabError as error:
        made.scenario, made.read = None, ()
        made.reason = scenario_language(made.language).sentence("impossible", reason=_reason(error, name))
        made.suggestions = tuple(_offered(made, check, titles or {}))
    return made


def _offered(
    made: ScenarioDraft, check: Callable[[Scenario, str], None] | None, titles: Mapping[str, str]
) -> list[str]:
    """Return examples that are possible here, the first ones."""
    found: list[str] = []
    for text in examples(made.network, scenario_language(made.language)):
        other = ScenarioDraft(text, None, None, made.network, made.now)
        try:
            proposal = WordScenarioPlanner((made.language,)).propose(text, made.network, now=made.now, titles=titles)
            _accept(other, proposal, "example", check)
        except TwinlabError:
            continue
        found.append(text)
        if len(found) == _MOST_OFFERED:
            break
    return found


def _reason(error: TwinlabError, name: str) -> str:
    return "; ".join(line.removeprefix(f"scenario {name!r}: ") for line in str(error).splitlines())


def _accept(made: ScenarioDraft, proposal: Proposal, name: str, check: Callable[[Scenario, str], None] | None) -> str:
    """Make and check the scenario of a proposal, and return the shortest horizon that it fits in."""
    before = () if made.base is None else made.base.changes
    scenario = Scenario(name, changes=(*before, *proposal.changes))  # type: ignore[arg-type]
    if not proposal.changes:
        msg = "the planner proposes no change"
        raise SchemaError(msg)
    failed: TwinlabError | None = None
    for horizon in _HORIZONS:
        run = made.now.to_datetime64(), (made.now + _days(horizon)).to_datetime64()
        try:
            scenario.check(made.network, run=run)
        except TwinlabError as error:
            failed = failed or error
            if "window within the run" not in str(error):
                raise
            continue
        last = max((pd.Timestamp(one.stop) for one in scenario.changes if one.stop and "-" in one.stop), default=None)
        if last is not None and last > made.now + _days(horizon) and horizon != _HORIZONS[-1]:
            continue
        if check is not None:
            check(scenario, horizon)
        made.scenario = scenario
        texts = [change.words(made.network) for change in scenario.changes[len(before) :]]
        made.read = _parts(proposal, texts)
        return horizon
    assert failed is not None
    raise failed


def _parts(proposal: Proposal, texts: list[str]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Return each part of the text with its changes in words; what a planner says nothing about comes last."""
    found, place = [], 0
    for part, many in proposal.read:
        found.append((part, tuple(texts[place : place + many])))
        place += many
    return (*found, *([("…", tuple(texts[place:]))] if texts[place:] else []))


def _days(horizon: str) -> pd.Timedelta:
    return pd.Timedelta(days=int(horizon.removesuffix("d")))
