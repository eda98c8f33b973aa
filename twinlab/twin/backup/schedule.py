"""Which backups stay: the last ones, and one a day, a week or a month for so long."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Self

from twinlab.errors import SchemaError

__all__ = ["Schedule"]

_PART = re.compile(r"(\d{1,5})\s*([ndwm])?")
_EXAMPLE = "expected a schedule such as '24n,7d,4w,12m': the last 24, and one for each of the last 7 days, 4 weeks, 12 months that have one"


@dataclass(frozen=True)
class Schedule:
    """Numbers of backups that stay."""

    last: int = 0
    days: int = 0
    weeks: int = 0
    months: int = 0

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a schedule such as ``"7d,4w,12m"``; ``n`` counts backups.

        Raises
        ------
        SchemaError
            If it isn't one, or nothing would stay.

        Examples
        --------
        >>> Schedule.parse("24n, 7d")
        Schedule(last=24, days=7, weeks=0, months=0)
        """
        names = {"n": "last", "d": "days", "w": "weeks", "m": "months"}
        numbers: dict[str, int] = {}
        for part in text.split(","):
            found = _PART.fullmatch(part.strip())
            name = names.get(found[2] or "n") if found is not None else None
            if found is None or name is None or name in numbers:
                msg = f"{_EXAMPLE}; got {text!r}"
                raise SchemaError(msg)
            numbers[name] = int(found[1])
        if not any(numbers.values()):
            msg = f"{_EXAMPLE}; got {text!r}, by which no backup would stay"
            raise SchemaError(msg)
        return cls(**numbers)

    def kept(self, times: Sequence[int]) -> list[int]:
        """Return the times of the backups that stay, sorted; the newest one always does.

        Parameters
        ----------
        times : sequence of int
            Of all backups, ns UTC.

        Notes
        -----
        Of each day, week (from Monday) and month in UTC the newest backup stays. Days without a backup don't count, so that a twin that
        is off for a month loses none.
        """
        newest_first = sorted(times, reverse=True)
        stay = set(newest_first[: max(1, self.last)])
        for count, form in ((self.days, "%Y-%m-%d"), (self.weeks, "%G-%V"), (self.months, "%Y-%m")):
            of_period: dict[str, int] = {}
            for time in newest_first:
                of_period.setdefault(datetime.fromtimestamp(time // 10**9, UTC).strftime(form), time)
            stay.update(list(of_period.values())[:count])
        return sorted(stay)
