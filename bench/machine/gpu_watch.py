"""Watch a GPU while a trial runs on it, as the driver reports to the parent: energy, clock, memory.

The GPU is read when the worker announces its next phase, never while a lane is timed: a query to
the driver may delay kernel launches.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from statistics import median

from bench.machine.nvml import Reading, reading
from bench.record import GpuUseModel

# phases that are timed from the moment they are announced
TIMED = frozenset({"first_step", "step", "latency", "native", "tutorial"})


# with this many trials, the median is a GPU's usual clock
FEWEST_FOR_USUAL = 5


@dataclass(frozen=True, slots=True)
class Moment:
    """A reading of the GPU, with its time on the monotonic clock in seconds."""

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
        """Read the GPU as the worker enters a phase, unless that phase is timed.

        The readings at the two ends of the phase `power` give its energy.
        """
        if phase in TIMED:
            return
        moment = Moment(self._clock(), self._read(self._device))
        self._moments.append(moment)
        if phase == "power" or self._in_power:
            self._powered.append(moment)
        self._in_power = phase == "power"

    def use(self) -> GpuUseModel:
        """Return all that was read; a value is None if the driver never reported it."""
        readings = [moment.reading for moment in self._moments]
        used = [now.used_bytes for now in readings if now.used_bytes is not None]
        clocks = [now.clock_megahertz for now in readings if now.clock_megahertz is not None]
        slowed = [now.slowed_by for now in readings if now.slowed_by is not None]
        return GpuUseModel(
            peak_used_bytes=max(used, default=None),
            clock_megahertz=clocks or None,
            slowed_by=sorted({cause for causes in slowed for cause in causes}) if slowed else None,
            power_limit_watts=readings[-1].power_limit_watts if readings else None,
            **self._energy(),
        )

    def _energy(self) -> dict[str, float | None]:
        """Return the energy of the whole board in joules, and the seconds, of the power lane."""
        if len(self._powered) != 2:
            return {"energy_joules": None, "energy_seconds": None}
        first, last = self._powered
        before, after = first.reading.energy_joules, last.reading.energy_joules
        if before is None or after is None:
            return {"energy_joules": None, "energy_seconds": None}
        return {"energy_joules": after - before, "energy_seconds": last.at - first.at}


@dataclass(slots=True)
class UsualClocks:
    """Multiprocessor clocks in MHz of a session's timing trials, by device."""

    seen: dict[str, list[float]] = field(default_factory=dict)

    def note(self, device: str, use: GpuUseModel) -> None:
        """Add the median clock of a trial, if the driver reported clocks."""
        if use.clock_megahertz:
            self.seen.setdefault(device, []).append(median(use.clock_megahertz))

    def usual(self, device: str) -> float | None:
        """Return the median clock over the trials so far; None if there are too few."""
        clocks = self.seen.get(device, [])
        return median(clocks) if len(clocks) >= FEWEST_FOR_USUAL else None
