"""A half-busy process in every third round: its trials must be flagged, verdicts must stay."""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.record import Record
from bench.record.flags import DISTURBED
from bench.spec import Trial
from tests.selftest import experiment, resampling
from tests.selftest.experiment import PLAIN, SLOWER, by_round

ROUNDS = 18
EVERY = 3
PERCENT = 10
LEAST_FLAGGED = 0.95
MOST_FALSE_ALARMS = 0.05
# the share of other processes in a clean trial above which they are a real disturbance
REALLY_DISTURBED = 0.03
# busy half of the time, which is harder to see than a process that never rests: two threads on two
# cores, which wait for each other, would then take ten times as long
BUSY = """
import time
while True:
    until = time.monotonic() + 0.05
    while time.monotonic() < until:
        pass
    time.sleep(0.05)
"""


class Disturber(experiment.Watcher):
    """A display that runs a busy process during the first attempts of every third round."""

    def __init__(self) -> None:
        self._busy: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> "Disturber":
        return self

    def __exit__(self, *reason: object) -> None:
        self.stop()

    def started(self, trial: Trial) -> None:
        # one process for all trials that take turns
        if is_hit(trial) and self._busy is None:
            self._busy = subprocess.Popen([sys.executable, "-c", BUSY])

    def ended(self, record: Record) -> None:
        self.stop()
        super().ended(record)

    def stop(self) -> None:
        if self._busy is not None:
            self._busy.kill()
            self._busy.wait()
            self._busy = None


def is_hit(trial: Trial) -> bool:
    return trial.round is not None and trial.round % EVERY == 0 and trial.attempt == 0


def measure(backend: str, interpreter: str, folder: Path) -> list[Record]:
    names = [backend, SLOWER.format(percent=PERCENT)]
    with Disturber() as disturber:
        return experiment.run(names, ROUNDS, interpreter, folder, disturber)


def figures(records: Sequence[Record], backend: str) -> dict[str, Any]:
    hit = [record for record in records if is_hit(record.trial.trial())]
    clean = [record for record in records if not is_hit(record.trial.trial())]
    alarms = [record for record in clean if is_flagged(record)]
    real = [record for record in alarms if parents_share(record) > REALLY_DISTURBED]
    result = {
        "trials": len(records),
        "hit": len(hit),
        "hit_and_flagged": sum(map(is_flagged, hit)),
        "clean": len(clean),
        "clean_and_flagged": len(alarms),
        "of_those_really_disturbed": len(real),
        "verdict_with_the_rule": verdict(records),
        "verdict_of_clean_trials": verdict(clean),
        "ratio_with_the_rule": ratio(records),
        "ratio_of_clean_trials": ratio(clean),
        "largest_clean_share": max(map(parents_share, clean)),
        "smallest_hit_share": min(map(parents_share, hit)),
    }
    return {**result, "shortfalls": shortfalls(result)}


def is_flagged(record: Record) -> bool:
    return not set(DISTURBED).isdisjoint(record.flags)


def parents_share(record: Record) -> float:
    """Return the share of other processes over the whole trial, as the parent measured it."""
    load = record.contention
    if load is None or load.other_cpu_seconds is None:
        return 0.0
    return load.other_cpu_seconds / (load.wall_seconds * record.environment.cores_logical)


def sides(records: Sequence[Record]) -> tuple[dict[int, float], dict[int, float]]:
    return by_round(records, SLOWER.format(percent=PERCENT)), by_round(records, PLAIN)


def verdict(records: Sequence[Record]) -> str:
    return resampling.claim(*sides(records)).verdict


def ratio(records: Sequence[Record]) -> float | None:
    comparison = resampling.claim(*sides(records)).comparison
    return None if comparison is None else comparison.ratio.value


def shortfalls(result: dict[str, Any]) -> list[str]:
    false_alarms = result["clean_and_flagged"] - result["of_those_really_disturbed"]
    limits = {
        "at least 95 % of hit trials flagged": (
            result["hit_and_flagged"] >= LEAST_FLAGGED * result["hit"]
        ),
        "at most 5 % of clean trials flagged": false_alarms <= MOST_FALSE_ALARMS * result["clean"],
        "the verdict unchanged": (
            result["verdict_with_the_rule"] == result["verdict_of_clean_trials"]
        ),
    }
    return [text for text, holds in limits.items() if not holds]
