"""What tables of security mean, in words: a verdict in a sentence, and rows of texts. Pure."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from twinlab.explore.kit.exception_text import age_text
from twinlab.languages import local_number, mark, tr, tr_values

__all__ = [
    "SEVERITIES",
    "SPANS",
    "Verdict",
    "budget_rows",
    "event_rows",
    "gateway_rows",
    "message_rows",
    "read_rows",
    "verdict",
]

#: Severity -> its sign, since some readers can't tell colours apart.
_SIGNS = {"high": mark("▲ high"), "medium": mark("■ medium"), "low": mark("● low")}
_STATES = {
    "quarantined": mark("▲ waits"),
    "released": mark("→ released"),
    "ingested": mark("✓ stored"),
    "discarded": mark("✕ discarded"),
}
#: Shown severities by the name of the choice.
SEVERITIES: dict[str, tuple[str, ...]] = {
    "all": ("high", "medium", "low"), mark("medium and high"): ("high", "medium"), "high": ("high",)
}  # fmt: skip
#: Shown span by the name of the choice; None: all.
SPANS: dict[str, pd.Timedelta | None] = {
    mark("24 hours"): pd.Timedelta("1D"), mark("7 days"): pd.Timedelta("7D"), mark("30 days"): pd.Timedelta("30D"), "all": None
}  # fmt: skip


@dataclass(frozen=True)
class Verdict:
    """Heading and sentence above the tables."""

    good: bool
    head: str
    detail: str


def verdict(events: pd.DataFrame, messages: pd.DataFrame, gateways: pd.DataFrame, *, now: pd.Timestamp) -> Verdict:
    """Return a sentence on the last 24 hours.

    Parameters
    ----------
    events, messages, gateways : DataFrame
        Of `twinlab.Twin.security_events`, `quarantine` and `gateways`.
    now : Timestamp
        UTC, naive.
    """
    recent = events[events["end"] > now - pd.Timedelta("1D")]
    high = int((recent["severity"] == "high").sum())
    waiting = int((messages["state"] == "quarantined").sum())
    unsigned = gateways[~gateways["signed"] & gateways["last_seen"].notna()]
    parts = [
        f"{_count(waiting, 'message')} wait{'s' if waiting == 1 else ''} for a decision" if waiting else tr("nothing waits for a decision"),
        f"{_count(len(unsigned), 'gateway')} {'sends' if len(unsigned) == 1 else 'send'} without signatures" if len(unsigned) else "",
    ]  # fmt: skip
    detail = "; ".join(part for part in parts if part)
    detail = f"{detail[0].upper()}{detail[1:]}."
    if recent.empty:
        return Verdict(not waiting, tr("No security event in the last 24 hours"), detail)
    head = tr("{recent} in the last 24 hours", recent=_count(len(recent), tr("security event"))) + (
        tr(", {high} of high severity", high=high) if high else ""
    )
    return Verdict(good=False, head=head, detail=detail)


def event_rows(events: pd.DataFrame, *, span: str, severity: str, now: pd.Timestamp) -> pd.DataFrame:
    """Return the chosen events as texts, the newest first; the index has their ids."""
    low = SPANS[span]
    keep = events["severity"].isin(SEVERITIES[severity])
    if low is not None:
        keep &= events["end"] > now - low
    found = events[keep].sort_values(["end", "event_id"], ascending=False, kind="stable")
    return pd.DataFrame(
        {
            "severity": found["severity"].map(tr_values(_SIGNS)),
            "what": found["title"],
            tr("who or what"): found["subject"],
            "address": found["host"].replace("", "–"),
            tr("since (UTC)"): _times(found["start"]),
            tr("last (UTC)"): _times(found["end"]),
            "times": found["count"].map("{:,}".format),
            "text": found["text"],
        }
    ).set_axis(found["event_id"], axis=0)


def gateway_rows(gateways: pd.DataFrame, *, now: pd.Timestamp) -> pd.DataFrame:
    """Return gateways as texts, those with messages in quarantine first."""
    found = gateways.sort_values(["quarantined", "source", "gateway"], ascending=[False, True, True], kind="stable")
    ages = [_age(at, now) for at in found["last_seen"]]
    return pd.DataFrame(
        {
            "gateway": found["gateway"],
            "source": found["source"],
            "state": found["state"],
            tr("last message"): ages,
            "signed": [tr("✓ yes") if one else tr("✕ no") if seen != "never" else "–" for one, seen in zip(found["signed"], ages, strict=True)],
            "keys": found["key_state"],
            tr("key in use"): [f"{key[:12]}…" if key else "–" for key in found["key"]],
            "epoch": [epoch or "–" for epoch in found["epoch"]],
            "sequence": found["sequence"].map("{:,}".format),
            tr("in quarantine"): found["quarantined"].map("{:,}".format),
            "because": found["reason"].replace("", "–"),
        }
    ).reset_index(drop=True)  # fmt: skip


def message_rows(messages: pd.DataFrame) -> pd.DataFrame:
    """Return quarantined messages as texts, those that wait first; the index has their ids."""
    order = messages.assign(done=messages["state"] != "quarantined").sort_values(
        ["done", "noted"], ascending=[True, False], kind="stable"
    )
    return pd.DataFrame(
        {
            "state": order["state"].map(tr_values(_STATES)),
            "gateway": order["gateway"],
            "reason": order["reason"],
            "rows": [tr("{rows:,} from {first:,}", rows=rows, first=first) if rows else kind for rows, first, kind in zip(order["rows"], order["first"], order["kind"], strict=True)],
            tr("first (UTC)"): _times(order["noted"]),
            tr("last (UTC)"): _times(order["last"]),
            "times": order["count"].map("{:,}".format),
            "why": order["why"],
            "by": order["by"].replace("", "–"),
            "note": order["note"].replace("", "–"),
        }
    ).set_axis(order["id"], axis=0)  # fmt: skip


def read_rows(reads: pd.DataFrame) -> pd.DataFrame:
    """Return reads of personal data as texts, as they come: the newest first."""
    return pd.DataFrame(
        {
            "time (UTC)": _times(pd.to_datetime(reads["at"])),
            "what": reads["kind"],
            "who": reads["who"],
            "of": reads["of"],
            "fields": reads["fields"],
            "purpose": reads["purpose"],
            "rows": ["–" if pd.isna(one) else local_number(f"{int(one):,}") for one in reads["rows"]],
            "to": reads["to"],
            "outcome": reads["outcome"],
        }
    ).reset_index(drop=True)


def budget_rows(budget: pd.DataFrame) -> pd.DataFrame:
    """Return privacy budgets as texts; one that is used up says so.

    >>> budget_rows(pd.DataFrame({"purpose": ["planning"], "spent": [10.0], "budget": [10.0], "left": [0.0]}))["state"].tolist()
    ['▲ used up']
    """
    share = budget["left"] / budget["budget"]
    state = [tr("▲ used up") if one <= 1e-9 else tr("■ nearly used up") if one < 0.2 else tr("✓ left") for one in share]
    numbers = {name: budget[name].map("{:.3g}".format) for name in ("spent", "left", "budget")}
    return pd.DataFrame({"state": state, "purpose": budget["purpose"], **numbers}).reset_index(drop=True)


def _count(number: int, word: str) -> str:
    return f"{number:,} {word}" + ("" if number == 1 else "s")


def _times(column: pd.Series) -> pd.Series:
    found: pd.Series = column.dt.strftime("%Y-%m-%d %H:%M:%S").fillna("–")
    return found


def _age(at: object, now: pd.Timestamp) -> str:
    return (
        tr("{timedelta} ago", timedelta=age_text(max(now - at, pd.Timedelta(0))))
        if isinstance(at, pd.Timestamp)
        else "never"
    )
