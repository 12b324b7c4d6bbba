"""Row 3: memory runs out. The record says so, nothing of that size is tried again, others go on.

The real worker runs out of memory in each way that there is, under a limit of the system as well.
In whole runs a worker says that it did, or is killed as the kernel does it: for that the count of
a control group is a file of ours. A kill that nobody counts is none for memory.
"""

import random
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from unittest.mock import patch

from bench.machine import cgroups
from bench.record import Record
from bench.record.run import read_run
from bench.record.stored import read_records
from bench.run.outcome import Outcome
from bench.run.process import Launch, worker_packages
from tests.fakes.workers import run_worker
from tests.faults.matrix import Row, Try, so_many
from tests.faults.runs import Place, damaged, ended, unfinished, workers
from tests.faults.stand_in import name_of, order

RUNS = 6
LIMITED = "resource.setrlimit(resource.RLIMIT_AS, (2 ** 31, 2 ** 31)); "
# what the framework does, and how the reason of its record begins
WAYS = {
    LIMITED + "bytearray(2 ** 32)": "out of memory: MemoryError",
    LIMITED + "numpy.ones(2 ** 29)": "out of memory: MemoryError: Unable to allocate 4",
    "raise OutOfMemoryError('CUDA out of memory.')": "out of memory: OutOfMemoryError: CUDA",
    "raise ResourceExhaustedError('OOM')": "out of memory: ResourceExhaustedError: OOM",
    "raise RuntimeError('RESOURCE_EXHAUSTED: x')": "out of memory: RuntimeError: RESOURCE_",
    "raise RuntimeError('illegal memory access')": "RuntimeError: illegal memory access",
}
ADAPTER = """
import resource
import numpy
class OutOfMemoryError(RuntimeError): pass
class ResourceExhaustedError(Exception): pass
class Backend:
    def versions(self):
        {way}
def open_backend(name):
    return Backend()
"""
# what a worker of a run does, its status, how its reason begins; whether its cell ends with it
SAYS = "result.update(status='failed', reason='out of memory: MemoryError')"
KILLED = "os.kill(os.getpid(), 9); time.sleep(600)"
COUNTED = f"open('{{events}}', 'w').write('oom_kill 1'); {KILLED}"
IN_RUNS = (
    (SAYS, "failed", "out of memory: MemoryError", True),
    (COUNTED, "killed", "out of memory: ended by SIGKILL; see ", True),
    (KILLED, "killed", "ended by SIGKILL; see ", False),
)


def starving(share: float, folder: Path) -> Iterator[Try]:
    place, draw = Place.make(folder), random.Random(3)
    ways = list(WAYS.items())
    draw.shuffle(ways)
    for number, (way, reason) in enumerate(ways[: so_many(len(ways), share)]):
        yield one_worker(folder, number, way, reason)
    for number in range(so_many(RUNS, share)):
        victim = f"timing pytorch {(turn := draw.randrange(3))} {turn}"
        for kind, (does, *promised) in enumerate(IN_RUNS):
            yield one_run(place, place.root / f"run-{number}-{kind}", victim, does, promised)


def one_worker(folder: Path, number: int, way: str, reason: str) -> Try:
    adapter = folder / f"starving_{number}.py"
    adapter.write_text(ADAPTER.format(way=way), encoding="utf-8")
    with worker_packages(adapter) as packages:
        job = {"backend": "starving", "adapter": adapter.stem, "cells": []}
        launch = Launch(interpreter=sys.executable, packages=packages)
        outcome = run_worker(job, launch, folder / f"{number}.log", lambda event: None)
    return Try(wrong=unlike(outcome, "failed", reason))


def unlike(found: Outcome | Record | None, status: str, reason: str) -> str | None:
    if found is None or found.status != status or not (found.reason or "").startswith(reason):
        return f"{found and (found.status, found.reason)}. Expected: {status}, {reason}"
    return None


def one_run(place: Place, folder: Path, victim: str, does: str, promised: Sequence[Any]) -> Try:
    group = place.root / f"{folder.name}-group"
    group.mkdir()
    (group / "membership").write_text("0::/\n", encoding="utf-8")
    (group / "memory.events").write_text("oom_kill 0\n", encoding="utf-8")
    order(place.root, {victim: does.format(events=group / "memory.events")})
    with (
        patch.object(cgroups, "MEMBERSHIP", group / "membership"),
        patch.object(cgroups, "ROOT", group),
    ):
        code = ended(place.start(folder))
    order(place.root, {})
    run = read_run(folder)
    records = list(read_records(folder, run))
    found = [*damaged(folder), *wrongs(folder, records, victim, *promised)]
    return Try(
        wrong=next(iter(found), None) if code == 1 else f"exit code {code}",
        lost=len(run.trials) - len(records),
        orphans=len(workers(place)) + len(unfinished(place, folder)),
    )


def wrongs(
    folder: Path, records: list[Record], victim: str, status: str, reason: str, stops: bool
) -> Iterator[str]:
    """What of the records is not as promised, of the victim's cell and of the other."""
    hit = False
    for record in records:
        name, ours = name_of(record.trial), record.trial.backend == "pytorch"
        wrong = unlike(record, "ok", "")
        if name == victim:
            hit, wrong = True, unlike(record, status, reason)
        elif hit and ours and stops:
            log = folder / "logs" / f"{record.name}.log"
            wrong = "it was run" if log.exists() else unlike(record, status, f"not run: {reason}")
        if wrong is not None:
            yield f"{name}: {wrong}"
    if not hit:
        yield f"no record of {victim}"


ROW = Row(number=3, fault="out of memory: Python, framework, limit, kernel", tries=starving)
