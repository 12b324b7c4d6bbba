"""Row 18: if the machine slept or a clock was set, durations are right and the trial is flagged.

The clocks of the real command jump at a chosen moment. Our sources read the wall clock only for
dates.
"""

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from unittest.mock import patch

from bench.machine.clocks import ClockWatch, seconds
from bench.record.run import read_run
from bench.record.stored import read_records
from bench.run import trials
from tests.faults.code_from_data import FOLDERS, ROOT
from tests.faults.matrix import Row, Try, share_of
from tests.faults.runs import (
    Place,
    damages,
    kill_workers_at_exit,
    temporary_files,
    wait_for_end,
    workers,
)

# seconds by which monotonic, wall and boot clock jump, and whether that is a jump
JUMPS = (
    ((0.0, 3_600.0, 3_600.0), True),
    ((0.0, 30.0, 0.0), True),
    ((0.0, -7_200.0, 0.0), True),
    ((0.0, 1.5, 1.5), True),
    ((0.0, 0.5, 0.0), False),
    ((0.0, 0.0, 0.0), False),
)
# the second reading of the third group, which is the first round, after two certificates
AT_READING = 6
JUMPED = {"timing-mlp-512_pytorch_cpu_default_float32_b128-r00-s0",
          "timing-mlp-512_keras-tensorflow_cpu_default_float32_b128-r00-s0"}  # fmt: skip
LONGEST_SECONDS = 60.0
# modules that give a run its name or a session its date, or that show the time of day
DATED = {
    *("bench/machine/lock.py", "bench/record/run.py"),
    *("bench/run/planner.py", "bench/run/display.py", "bench/cli/options.py"),
}
WALL = {"time.time", "time.time_ns", "datetime.now", "datetime.utcnow", "datetime.datetime.now"}


def clocks(share: float, folder: Path) -> Iterator[Try]:
    place = Place.make(folder)
    for number, (jump, is_jump) in enumerate(JUMPS[: share_of(len(JUMPS), share)]):
        with kill_workers_at_exit(place):
            yield one_run(place, folder / f"run-{number}", jump, is_jump)
    for path in sorted(path for name in FOLDERS for path in (ROOT / name).rglob("*.py")):
        name = path.relative_to(ROOT).as_posix()
        wrong = wall_clock(name, path.read_text(encoding="utf-8"))
        yield Try(wrong=f"{name} reads the wall clock: {wrong}" if wrong else None)


@dataclass(slots=True)
class JumpingClocks:
    """The machine's clocks; they jump before a given reading."""

    jump: tuple[float, ...]
    readings: int = 0

    def __call__(self) -> tuple[float, ...]:
        self.readings += 1
        jump = self.jump if self.readings >= AT_READING else (0.0,) * len(self.jump)
        return tuple(now + more for now, more in zip(seconds(), jump, strict=False))


def one_run(place: Place, folder: Path, jump: tuple[float, ...], is_jump: bool) -> Try:
    first: Callable[[], object] = patch.object(
        trials, "ClockWatch", partial(ClockWatch, JumpingClocks(jump))
    ).start
    code = wait_for_end(place.start(folder, first=first))
    wrong = damages(folder)
    if code != 0:
        return Try(wrong=f"exit code {code}: {place.output(folder)}")
    records = list(read_records(folder, read_run(folder)))
    flagged = {record.name for record in records if "clock_jump" in record.flags}
    if flagged != (JUMPED if is_jump else set()):
        wrong.append(f"after a jump by {jump} flagged: {sorted(flagged)}")
    longest = max(
        record.contention.wall_seconds for record in records if record.contention is not None
    )
    if longest > LONGEST_SECONDS:
        wrong.append(f"a trial is said to have taken {longest:.0f} s")
    if is_jump and "clock_jump" not in (folder / "details.md").read_text(encoding="utf-8"):
        wrong.append("the report does not mention it")
    return Try(
        wrong="; ".join(wrong) or None,
        orphans=len(workers(place)) + len(temporary_files(place, folder)),
    )


def wall_clock(name: str, source: str) -> str:
    """Return the calls of a source that read the wall clock and must not."""
    if name in DATED:
        return ""
    calls = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    names = {ast.unparse(call.func) for call in calls} & WALL
    # this module compares the wall clock with the other clocks
    allowed = {"time.time"} if name == "bench/machine/clocks.py" else set()
    return ", ".join(sorted(names - allowed))


ROW = Row(number=18, fault="suspended, or the clock set", tries=clocks)
