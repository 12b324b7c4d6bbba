"""Row 3: if memory runs out, the record says so, the cell is not tried again, and others go on.

The real worker runs out of memory in several ways, also under a limit of the system. In complete
runs a worker reports it, or is killed as by the kernel, whose count of kills is then a file of the
test. A kill that is not counted there has another cause.
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
from tests.faults.matrix import Row, Try, share_of
from tests.faults.runs import Place, damages, temporary_files, wait_for_end, workers
from tests.faults.stand_in import name_of, write_orders

RUNS = 6
LIMITED = "resource.setrlimit(resource.RLIMIT_AS, (2 ** 31, 2 ** 31)); "
# what the framework does, and the beginning of the reason in its record
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
# what a worker does, its status, the beginning of its reason, and whether its cell is then left out
SAYS = "result.update(status='failed', reason='out of memory: MemoryError')"
KILLED = "os.kill(os.getpid(), 9); time.sleep(600)"
COUNTED = f"open('{{events}}', 'w').write('oom_kill 1'); {KILLED}"
IN_RUNS = (
    (SAYS, "failed", "out of memory: MemoryError", True),
    (COUNTED, "killed", "out of memory: ended by SIGKILL; see ", True),
    (KILLED, "killed", "ended by SIGKILL; see ", False),
)


def memory_shortages(share: float, folder: Path) -> Iterator[Try]:
    place, draw = Place.make(folder), random.Random(3)
    ways = list(WAYS.items())
    draw.shuffle(ways)
    for number, (way, reason) in enumerate(ways[: share_of(len(ways), share)]):
        yield one_worker(folder, number, way, reason)
    for number in range(share_of(RUNS, share)):
        victim = f"timing pytorch {(turn := draw.randrange(3))} {turn}"
        for kind, (code, *promised) in enumerate(IN_RUNS):
            yield one_run(place, place.root / f"run-{number}-{kind}", victim, code, promised)


def one_worker(folder: Path, number: int, way: str, reason: str) -> Try:
    adapter = folder / f"starving_{number}.py"
    adapter.write_text(ADAPTER.format(way=way), encoding="utf-8")
    with worker_packages(adapter) as packages:
        job = {"backend": "starving", "adapter": adapter.stem, "cells": []}
        launch = Launch(interpreter=sys.executable, packages=packages)
        outcome = run_worker(job, launch, folder / f"{number}.log", lambda event: None)
    return Try(wrong=difference(outcome, "failed", reason))


def difference(received: Outcome | Record, status: str, reason: str) -> str | None:
    """Return what is not as expected; None if all is."""
    if received.status != status or not (received.reason or "").startswith(reason):
        return f"{(received.status, received.reason)}. Expected: {status}, {reason}"
    return None


def one_run(place: Place, folder: Path, victim: str, order: str, promised: Sequence[Any]) -> Try:
    group = place.root / f"{folder.name}-group"
    group.mkdir()
    (group / "membership").write_text("0::/\n", encoding="utf-8")
    (group / "memory.events").write_text("oom_kill 0\n", encoding="utf-8")
    write_orders(place.root, {victim: order.format(events=group / "memory.events")})
    with (
        patch.object(cgroups, "MEMBERSHIP", group / "membership"),
        patch.object(cgroups, "ROOT", group),
    ):
        code = wait_for_end(place.start(folder))
    write_orders(place.root, {})
    run = read_run(folder)
    records = list(read_records(folder, run))
    errors = [*damages(folder), *differences(folder, records, victim, *promised)]
    return Try(
        wrong=next(iter(errors), None) if code == 1 else f"exit code {code}",
        lost=len(run.trials) - len(records),
        orphans=len(workers(place)) + len(temporary_files(place, folder)),
    )


def differences(
    folder: Path, records: list[Record], victim: str, status: str, reason: str, stops: bool
) -> Iterator[str]:
    """Yield what in the records is not as promised, of the victim's cell and of the other cell."""
    hit = False
    for record in records:
        name, ours = name_of(record.trial), record.trial.backend == "pytorch"
        wrong = difference(record, "ok", "")
        if name == victim:
            hit, wrong = True, difference(record, status, reason)
        elif hit and ours and stops:
            log = folder / "logs" / f"{record.name}.log"
            wrong = (
                "it was run" if log.exists() else difference(record, status, f"not run: {reason}")
            )
        if wrong is not None:
            yield f"{name}: {wrong}"
    if not hit:
        yield f"no record of {victim}"


ROW = Row(number=3, fault="out of memory: Python, framework, limit, kernel", tries=memory_shortages)
