"""A plan: a proposal with its signatures, and its outcome once it was sent."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from twinlab.commands.messages import approve_command, new_command, open_signed, sign_command
from twinlab.commands.messages.command import LONGEST_LIFE
from twinlab.control.proposals.comparing.comparison import Comparison
from twinlab.control.proposals.comparing.plans import compare_plan, instant_of
from twinlab.control.proposals.html import proposal_html
from twinlab.control.proposals.proposal import Proposal
from twinlab.control.proposals.proposing import Request
from twinlab.control.proposals.sending import SendResult, Step, send_commands
from twinlab.control.proposals.signatures import person_of, signer_of
from twinlab.errors import CommandExpiredError, CommandRejectedError, ControlError

if TYPE_CHECKING:
    from twinlab.control.proposals.desk import Desk

__all__ = ["Plan"]


class Plan:
    """A proposal that can be approved and sent. Made by ``twin.propose``; `desk` is where it is stored.

    ``approve`` and ``send`` look at the state again: if it isn't the one that was shown, or anything isn't as it must be, they
    refuse. From the first signature on a plan has 60 seconds.
    """

    def __init__(
        self,
        desk: Desk,
        proposal: Proposal,
        *,
        envelopes: tuple[bytes, bytes] | None = None,
        persons: tuple[str, ...] = (),
        expires: str | None = None,
        result: SendResult | None = None,
        compared: Comparison | None = None,
    ) -> None:
        self._desk = desk
        self.proposal = proposal
        self._envelopes = envelopes
        self.persons = persons
        """Who has signed, in order."""
        self.expires = expires
        """Instant from which the signatures don't count any more, UTC; None before the first."""
        self.result = result
        """Its outcome; None until it is sent."""
        self._compared = compared

    @classmethod
    def made(cls, desk: Desk, request: Request) -> Self:
        """Return a new plan from the present state, stored and recorded."""
        plan = cls(desk, desk.evaluate(request))
        proposal = plan.proposal
        desk.note(
            "proposal", [], id=proposal.id, target=proposal.target, parameter=proposal.parameter, value=proposal.value, unit=proposal.unit,
            verdict=proposal.verdict, outcome="refused" if proposal.refused else "proposed", reason=proposal.reason,
        )  # fmt: skip
        plan._save()
        return plan

    @classmethod
    def stored(cls, desk: Desk, plan_id: str, data: Mapping[str, Any] | None = None) -> Self:
        """Return a plan that was stored, by this session or another; ``data`` if they have been read already."""
        data = desk.load(plan_id) if data is None else data
        envelopes = data["envelopes"]
        result, compared = data["result"], data.get("compared")
        proposal = Proposal.from_dict(data["proposal"])
        return cls(
            desk, proposal,
            envelopes=None if envelopes is None else (b64decode(envelopes[0]), b64decode(envelopes[1])),
            persons=tuple(data["persons"]), expires=data["expires"],
            result=None if result is None else SendResult(**{**result, "steps": tuple(Step(**one) for one in result["steps"])}),
            compared=None if compared is None else Comparison.from_dict(compared, proposal.effects),
        )  # fmt: skip

    # -- what it is --------------------------------------------------------------------------------------------------------
    @property
    def id(self) -> str:
        """Id of the plan, for ``twin.plan``."""
        return self.proposal.id

    @property
    def verdict(self) -> str:
        """Verdict of the simulation: safe, unsafe or "can't tell"."""
        return self.proposal.verdict

    @property
    def refused(self) -> tuple[str, ...]:
        """Return why it can't be approved, a sentence each; empty if it can."""
        return self.proposal.refused

    @property
    def status(self) -> str:
        """``refused``, ``proposed``, ``approved``, ``expired``, or the outcome of sending it."""
        if self.result is not None:
            return self.result.outcome
        if self.refused:
            return "refused"
        if self._expired():
            return "expired"
        return "approved" if len(self.persons) >= self.proposal.people else "proposed"

    def __repr__(self) -> str:
        proposal = self.proposal
        lines = [
            f"{proposal.target} {proposal.parameter}: {proposal.reported:g} -> {proposal.value:g} {proposal.unit}, {self._said()}"
        ]
        lines += [f"  {one.verdict}: {one.title}: {one.reason}" for one in proposal.effects]
        lines += [f"  refused: {check.said}" for check in proposal.checks if not check.passed]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        return str(proposal_html(self.proposal, status=self._said()))

    def _said(self) -> str:
        proposal = self.proposal
        if self.result is not None:
            return f"sent: {self.result.outcome.replace('_', '-')}"
        if self.refused:
            return "refused: it can't be approved"
        signed = f"signed by {' and '.join(self.persons)}; " if self.persons and not self._expired() else ""
        missing = proposal.people - (len(self.persons) if signed else 0)
        if missing <= 0:
            return f"{signed}can be sent until {self.expires}"
        people = "1 person" if missing == 1 else f"{missing} different persons"
        return f"{signed}needs {people} with the role {' or '.join(proposal.roles)}"

    # -- what is done with it ---------------------------------------------------------------------------------------------
    def approve(self, *, as_: object) -> Self:
        """Sign the plan.

        Parameters
        ----------
        as_ : Signer, Path or str
            Who signs: a securesystemslib signer with an Ed25519 key, the path of a private key, or a name whose key is on this
            machine.

        Returns
        -------
        Plan
            Itself.

        Raises
        ------
        CommandRejectedError
            If the plan is refused or was sent, the state isn't the one that was shown, the person has none of the roles or has signed
            already, or the key is unknown or revoked.
        ControlError
            If the audit can't be written.
        """
        ring = self._desk.ring()
        signer = signer_of(as_, people=self._desk.people)
        person = person_of(signer, ring=ring)
        proposal = self.proposal
        if not set(ring.people[person].roles) & set(proposal.roles):
            raise self._refuse(
                person,
                f"expected somebody with the role {' or '.join(proposal.roles)}, got {person}, who has {', '.join(ring.people[person].roles) or 'none'}",
            )
        self._check_not_sent()
        self._look_again(person, simulate=False)
        # Of two persons who sign at once in two sessions, the second signs what the first has signed.
        with self._desk.storing():
            stored = Plan.stored(self._desk, self.id)
            self._envelopes, self.persons, self.expires = stored._envelopes, stored.persons, stored.expires  # noqa: SLF001
            self._sign(person, signer)
        return self

    def _sign(self, person: str, signer: Any) -> None:  # noqa: ANN401  (a signer of securesystemslib)
        if self._expired():
            # Signatures that don't count any more: everybody signs again.
            self._envelopes, self.persons, self.expires = None, (), None
        if person in self.persons:
            raise self._refuse(person, f"expected another person, got {person}, who has signed already")
        if self._envelopes is None:
            envelopes = self._sign_first(signer)
        else:
            envelopes = (approve_command(self._envelopes[0], signer), approve_command(self._envelopes[1], signer))
        self._desk.note("approval", [person], **self._facts(), outcome="approved")
        self._envelopes, self.persons = envelopes, (*self.persons, person)
        self._save()

    def send(self, *, progress: Callable[[Step], object] | None = None) -> SendResult:
        """Send the plan: select, operate, acknowledgement, read-back.

        Parameters
        ----------
        progress : callable, optional
            Called with each step when it begins, as "under way", and when it has ended. An error of it stops nothing.

        Returns
        -------
        SendResult
            Its outcome, predicted against reported.

        Raises
        ------
        CommandRejectedError
            If signatures are missing, it was sent already, or the state isn't the one that was shown.
        CommandExpiredError
            If the signatures are older than 60 s.
        ControlError
            If the audit or the guard's ledger can't be written, or another process sends for too long.
        """
        # Of two sessions that send the same plan at once, the second finds that it was sent.
        with self._desk.sending():
            self._check_not_sent()
            return self._sent(progress)

    def _sent(self, progress: Callable[[Step], object] | None) -> SendResult:
        proposal = self.proposal
        who = " and ".join(self.persons) or "nobody"
        if self._envelopes is None or len(self.persons) < proposal.people:
            raise self._refuse(
                who, f"expected signatures of {proposal.people} different persons, got {len(self.persons)}: {who}"
            )
        if self._expired():
            msg = f"{proposal.target}: the signatures expired at {self.expires}; propose and approve again, with the state as it is now"
            raise CommandExpiredError(msg)
        self._check_signed(who)
        self._look_again(who)
        select, operate = self._envelopes
        self._desk.note("plan sent", list(self.persons), **self._facts(), outcome="under way")
        self.result = send_commands(
            self._desk, proposal, select, operate, timeout=self._desk.spec(proposal).timeout_s, progress=progress
        )
        self._save()
        reported = {} if self.result.reported is None else {"reported": self.result.reported}
        self._desk.note(
            "plan sent", list(self.persons), **{**self._facts(), "reason": self.result.reason}, outcome=self.result.outcome,
            predicted=proposal.value, **reported,
        )  # fmt: skip
        return self.result

    def compare(self) -> Comparison:
        """Compare predictions with what was observed since: the reported value, and each effect that was simulated.

        Once nothing more can come (the time that was simulated is over, or the parameter was set again), the comparison is a row of the
        audit, and stays as it is.

        Returns
        -------
        Comparison
            Its ``match`` is "as predicted", "otherwise", "not yet" or "can't tell", with reasons.

        Raises
        ------
        ControlError
            If the plan wasn't carried out, or the audit can't be written.
        """
        if self.result is None or self.result.outcome != "done":
            msg = f"expected a plan that was carried out, got {self.id}, which is {self.status.replace('_', '-')}: nothing came of it"
            raise ControlError(msg)
        if self._compared is not None:
            return self._compared
        desk, proposal = self._desk, self.proposal
        sent = self.result.at or proposal.at
        later = [at for at in desk.times_set(proposal.target, proposal.parameter) if at > sent]
        found = compare_plan(
            desk.reader(), proposal, desk.spec(proposal), sent=instant_of(sent), again=instant_of(min(later)) if later else None,
            now=np.datetime64(desk.clock().astimezone(UTC).replace(tzinfo=None), "ns"),
        )  # fmt: skip
        return self._recorded(found) if found.complete else found

    # -- inside ------------------------------------------------------------------------------------------------------------
    def _recorded(self, found: Comparison) -> Comparison:
        """Record a comparison once, whoever is first."""
        with self._desk.storing():
            stored = Plan.stored(self._desk, self.id)
            if stored._compared is None:  # noqa: SLF001
                self._desk.note(
                    "plan compared", [], **{**self._facts(), "reason": found.reason[:2000]}, outcome=found.match
                )
                stored._compared = found  # noqa: SLF001
                stored._save()  # noqa: SLF001
            self._compared = stored._compared  # noqa: SLF001
        return self._compared

    def _sign_first(self, signer: Any) -> tuple[bytes, bytes]:  # noqa: ANN401  (a signer of securesystemslib)
        proposal, now = self.proposal, self._desk.clock()
        counters = self._desk.next_counters(proposal.target)
        commands = [
            new_command(
                proposal.target, proposal.parameter, proposal.value, proposal.unit, twin=proposal.twin, operation=operation, counter=counter,
                expected_state=proposal.expected_state, reason=proposal.reason, now=now, life=LONGEST_LIFE,
            )
            for operation, counter in zip(("select", "operate"), counters, strict=True)
        ]  # fmt: skip
        self.expires = commands[0].expires_at
        return sign_command(commands[0], signer), sign_command(commands[1], signer)

    def _look_again(self, who: str, *, simulate: bool = True) -> None:
        """Refuse unless the state is the one that was shown, all checks pass and, before it is sent, the simulation is still safe."""
        before = self.proposal
        if self.refused:
            raise self._refuse(who, "; ".join(self.refused))
        request = Request(before.target, before.parameter, before.value, before.reason)
        now = self._desk.evaluate(request, simulate=simulate)
        if now.expected_state != before.expected_state:
            raise self._refuse(
                who,
                f"the state has changed since it was shown at {before.at}: {before.parameter} is {now.reported:g} {now.unit} now; propose again",
            )
        failed = now.refused if simulate else tuple(check.said for check in now.checks if not check.passed)
        if failed:
            raise self._refuse(who, f"since it was shown at {before.at}: {'; '.join(failed)}")

    def _check_signed(self, who: str) -> None:
        """Refuse unless what was signed is what is shown: the file of a plan isn't signed, its envelopes are."""
        proposal, ring = self.proposal, self._desk.ring()
        shown = (
            proposal.twin,
            proposal.target,
            proposal.parameter,
            proposal.value,
            proposal.unit,
            proposal.expected_state,
        )
        for wire in self._envelopes or ():
            one = open_signed(wire, ring=ring).command
            if (one.twin, one.target, one.parameter, one.value, one.unit, one.expected_state) != shown:
                raise self._refuse(
                    who,
                    f"expected the setpoint that was signed, {one.value:g} {one.unit}, got {proposal.value:g} {proposal.unit}",
                )

    def _check_not_sent(self) -> None:
        if self.result is not None:
            msg = f"expected a plan that wasn't sent, got {self.id}, which was: {self.result.outcome}; a command is never repeated, propose again"
            raise CommandRejectedError(msg)
        # Another session may have sent it meanwhile.
        stored = self._desk.load(self.id)
        if stored["result"] is not None:
            msg = f"expected a plan that wasn't sent, got {self.id}, which another session has sent: {stored['result']['outcome']}"
            raise CommandRejectedError(msg)

    def _refuse(self, who: str, reason: str) -> CommandRejectedError:
        """Record a refusal, and return its error."""
        said = f"{self.proposal.target} {self.proposal.parameter}: {reason}"
        self._desk.note("approval", [who], **{**self._facts(), "reason": said[:2000]}, outcome="refused")
        return CommandRejectedError(said)

    def _facts(self) -> dict[str, object]:
        proposal = self.proposal
        return {
            "id": proposal.id, "target": proposal.target, "parameter": proposal.parameter, "value": proposal.value, "unit": proposal.unit,
            "verdict": proposal.verdict, "reason": proposal.reason,
        }  # fmt: skip

    def _expired(self) -> bool:
        # The commands take up to some seconds; the guard checks to the millisecond.
        return self.expires is not None and self._desk.clock() > datetime.fromisoformat(self.expires) - timedelta(
            milliseconds=1
        )

    def _save(self) -> None:
        envelopes = None if self._envelopes is None else [b64encode(one).decode() for one in self._envelopes]
        self._desk.save(self.id, {
            "proposal": self.proposal.to_dict(), "envelopes": envelopes, "persons": list(self.persons), "expires": self.expires,
            "status": self.status, "result": None if self.result is None else self.result.to_dict(),
            "compared": None if self._compared is None else self._compared.to_dict(),
        })  # fmt: skip

    def signed_by(self) -> tuple[str, ...]:
        """Return who signed, as the envelopes prove it, with the keys as they are now."""
        if self._envelopes is None:
            return ()
        ring = self._desk.ring()
        signed = open_signed(self._envelopes[0], ring=ring)
        return tuple(sorted({ring.person_keys[key_id][0] for key_id in signed.key_ids}))
