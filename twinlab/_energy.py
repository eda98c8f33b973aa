"""Energy that a run takes: from the processor's own counters where they can be read, else from watts per core."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from twinlab._rates import Rates

__all__ = ["Energy", "EnergyMeter", "RaplCounters"]

_POWERCAP = Path("/sys/class/powercap")
_STAT = Path("/proc/stat")
#: Fields of /proc/stat in which a core is busy: user, nice, system, irq, softirq, steal.
_BUSY = (0, 1, 2, 5, 6, 7)


@dataclass(frozen=True)
class Energy:
    """Energy with the way it was found.

    Parameters
    ----------
    joules : float
    source : str
        Counters or model, in words.
    """

    joules: float
    source: str


class RaplCounters:
    """Energy counters (RAPL) of all processor packages, as Linux shows them to those who may read them.

    Parameters
    ----------
    root : Path
        Folder of the kernel's powercap interface [1]_.

    References
    ----------
    .. [1] The Linux kernel, "Power Capping Framework": ``energy_uj`` counts microjoules up to ``max_energy_range_uj``, then
       begins at 0 again.
    """

    def __init__(self, root: Path = _POWERCAP) -> None:
        self._last: dict[Path, int] = {}
        self._range: dict[Path, int] = {}
        self._sum = 0
        # A package is intel-rapl:0 (AMD's, too); intel-rapl:0:1 is a part of it.
        for folder in sorted(root.glob("*-rapl:[0-9]*")) if root.is_dir() else ():
            if folder.name.count(":") == 1:
                try:
                    self._last[folder] = int((folder / "energy_uj").read_text())
                    self._range[folder] = int((folder / "max_energy_range_uj").read_text())
                except (OSError, ValueError):
                    # Most systems let only root read them, since they leak what a processor computes.
                    self._last.pop(folder, None)

    @property
    def readable(self) -> bool:
        """Whether there is a counter that this process may read."""
        return bool(self._last)

    def joules(self) -> float:
        """Return the energy since construction. A counter begins anew after some minutes: ask at least each minute."""
        for folder, last in self._last.items():
            try:
                now = int((folder / "energy_uj").read_text())
            except (OSError, ValueError):
                continue
            self._sum += now - last if now >= last else now + self._range[folder] - last
            self._last[folder] = now
        return self._sum / 1e6


def busy_seconds(stat: Path = _STAT) -> float | None:
    """Return the seconds that all cores have been busy since the start of the machine; None where that isn't known."""
    try:
        fields = stat.read_text(encoding="ascii").split("\n", 1)[0].split()[1:]
        return sum(int(fields[place]) for place in _BUSY) / os.sysconf("SC_CLK_TCK")
    except (OSError, ValueError, IndexError):
        return None


class EnergyMeter:
    """Energy since its construction, of the part of the machine's work that is ours.

    Parameters
    ----------
    rates : Rates
        Watts per core where nothing can be measured.
    local : bool
        Whether the work is done on this machine; counters of others can't be read.
    root, stat : Path
        Where the kernel shows counters and busy time.
    """

    def __init__(self, rates: Rates, *, local: bool = True, root: Path = _POWERCAP, stat: Path = _STAT) -> None:
        self._rates, self._stat = rates, stat
        self._counters = RaplCounters(root) if local else None
        self._busy = busy_seconds(stat)

    def energy(self, cpu_seconds: float) -> Energy:
        """Return the energy so far.

        Parameters
        ----------
        cpu_seconds : float
            Seconds of processor that our work took; of measured energy it has their share of all busy seconds.
        """
        if self._counters is not None and self._counters.readable:
            joules, busy = self._counters.joules(), busy_seconds(self._stat)
            total = busy - self._busy if busy is not None and self._busy is not None else 0.0
            share = min(1.0, cpu_seconds / total) if total > 0 else 1.0
            if joules > 0:
                text = f"energy counters of the processor (RAPL), {share:.0%} of them for this run's share of busy time"
                return Energy(joules * share * self._rates.overhead, text)
        watts = self._rates.watts_per_core
        text = f"model: {watts:g} W per busy core ({self._rates.watts_from}), not measured"
        return Energy(cpu_seconds * watts * self._rates.overhead, text)
