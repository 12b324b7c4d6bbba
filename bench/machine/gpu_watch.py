"""A GPU while a trial runs on it, as the driver tells the parent: energy, clock, memory.

Read when the worker says which phase comes next, never while a lane is timed: a question to the
driver may hold up what is launched meanwhile.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from statistics import median

from bench.machine.nvml import Reading, reading
from bench.record import GpuUseModel

# what these announce is timed at once
TIMED = frozenset({"first_step", "step", "latency", "native", "tutorial"})


# of as many trials a median says what a GPU's clock usually is
FEWEST_FOR_USUAL = 5


@dataclass(frozen=True, slots=True)
class Moment:
    at: float
    reading: Reading


class GpuWatch:
    """Follows the events of one worker on `device`."""

    def __init__(
        self,
        device: str,
        read: Callable[[str], Reading] = reading,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._device = device
        self._read = read
        self._clock = clock
        self._moments: list[Moment] = []
        self._powered: list[Moment] = []
        self._in_power = False

    def enter(self, phase: str) -> None:
        """Note how the GPU is when the worker enters a phase, unless that phase is timed.

        Both ends of `power` are noted, for its energy.
        """
        if phase in TIMED:
            return
        moment = Moment(self._clock(), self._read(self._device))
        self._moments.append(moment)
        if phase == "power" or self._in_power:
            self._powered.append(moment)
        self._in_power = phase == "power"

    def use(self) -> GpuUseModel:
        """All that was read; what the driver never told is None."""
        readings = [moment.reading for moment in self._moments]
        used = [one.used_bytes for one in readings if one.used_bytes is not None]
        clocks = [one.clock_megahertz for one in readings if one.clock_megahertz is not None]
        slowed = [one.slowed_by for one in readings if one.slowed_by is not None]
        return GpuUseModel(
            peak_used_bytes=max(used, default=None),
            clock_megahertz=clocks or None,
            slowed_by=sorted({cause for causes in slowed for cause in causes}) if slowed else None,
            power_limit_watts=readings[-1].power_limit_watts if readings else None,
            **self._energy(),
        )

    def _energy(self) -> dict[str, float | None]:
        """Joules of the whole board between the two ends of the power lane."""
        if len(self._powered) != 2:
            return {"energy_joules": None, "energy_seconds": None}
        first, last = self._powered
        before, after = first.reading.energy_joules, last.reading.energy_joules
        if before is None or after is None:
            return {"energy_joules": None, "energy_seconds": None}
        return {"energy_joules": after - before, "energy_seconds": last.at - first.at}


@dataclass(slots=True)
class UsualClocks:
    """Multiprocessor clocks of a session's timing trials, by device."""

    seen: dict[str, list[float]] = field(default_factory=dict)

    def note(self, device: str, use: GpuUseModel) -> None:
        if use.clock_megahertz:
            self.seen.setdefault(device, []).append(median(use.clock_megahertz))

    def usual(self, device: str) -> float | None:
        """The median over the trials so far; None while they are few."""
        clocks = self.seen.get(device, [])
        return median(clocks) if len(clocks) >= FEWEST_FOR_USUAL else None
