"""Row 4: a worker that hangs, in any phase and way, is ended on time with all its processes."""

import random
import time
from collections.abc import Iterator, Mapping
from itertools import product
from pathlib import Path
from typing import Any
from unittest.mock import patch

import psutil

from backends import BACKENDS
from bench import mnist
from bench.parity.rungs import digests
from bench.record.run import read_run
from bench.record.stored import read_records
from bench.run import request
from bench.run.events import DEADLINES
from bench.run.outcome import Outcome
from bench.run.process import Launch, worker_packages
from bench.spec import AccuracyPlan, Cell, Execution, TimingPlan, Trial
from bench.workloads import MLP_512
from tests.fakes.scripts import write_script
from tests.fakes.workers import run_worker
from tests.faults.matrix import Row, Try, share_of
from tests.faults.runs import (
    Place,
    damages,
    kill_workers_at_exit,
    temporary_files,
    wait_for_end,
    workers,
)
from tests.faults.stand_in import name_of, write_orders

DEADLINE_SECONDS = 0.3
# for phases that the next worker also has
GENEROUS_SECONDS = 5.0
# after its deadline
MOST_SECONDS = 5.0
FORK = "child = os.fork()\nif child == 0: time.sleep(600)\nprint(child, flush=True)"
ENDLESS = """while True:
    os.write(pipe, b'{"event": "note"}\\n')
    time.sleep(0.02)"""
WAYS = {
    "sleeps": "",
    "sends events without end": ENDLESS,
    "is stopped": "os.kill(os.getpid(), signal.SIGSTOP)",
    "ignores SIGTERM": "signal.signal(signal.SIGTERM, signal.SIG_IGN)",
    "left a process that keeps the pipe": FORK,
}
BODY = """
print(os.getpid(), flush=True)
os.write(pipe, b'{{"event": "phase", "phase": "{phase}"}}\\n')
{way}
time.sleep(600)
"""
GOOD = """
os.write(pipe, b'{"event": "result", "result": {"status": "ok", "reason": null}}\\n')
"""


IN_A_RUN = """
send(event="phase", phase={phase!r})
time.sleep(600)
"""
# a plan with all lanes has all phases; the blocks are long enough for the canary
TIMING = TimingPlan(
    window_blocks=2, blocks=2, steps_per_block=64, native_steps=64, native_slices=1,
    tutorial_steps=4, latency_steps=4, power_seconds=0.1,
)  # fmt: skip
# Python imports `sitecustomize` at its start
CUSTOMIZED = """
import os, time
PHASE = {phase!r}
def hang():
    print("hangs as", os.getpid(), flush=True)
    time.sleep(600)
if PHASE == "spawn":
    hang()
from bench.worker.measure.phases import Phases
made = Phases.__init__
def make(self, clock, announce):
    def announced(name):
        announce(name)
        if name == PHASE:
            hang()
    made(self, clock, announced)
Phases.__init__ = make
"""


def hangs(share: float, folder: Path) -> Iterator[Try]:
    ways = list(product(DEADLINES, WAYS))
    random.Random(4).shuffle(ways)
    for number, (phase, way) in enumerate(ways[: share_of(len(ways), share)]):
        yield one_try(folder, number, phase, way)
    yield from hang_in_runs(Place.make(folder), list(DEADLINES)[: share_of(len(DEADLINES), share)])


def one_try(folder: Path, number: int, phase: str, way: str) -> Try:
    """Run a worker that hangs, then one that does not, like the next worker of a run."""
    hanging = write_script(folder, f"hangs-{number}", BODY.format(phase=phase, way=WAYS[way]))
    log = folder / f"{number}.log"
    started = time.monotonic()
    outcome = work(hanging, folder, log, phase)
    late = time.monotonic() - started - DEADLINE_SECONDS
    good = write_script(folder, f"good-{number}", GOOD)
    after = work(good, folder, folder / f"{number}-next.log", phase="none")
    wrong = None
    if outcome.status != "timed_out" or f"in phase '{phase}'" not in (outcome.reason or ""):
        wrong = f"{phase}, {way}: {outcome.status}, {outcome.reason}"
    elif late > MOST_SECONDS:
        wrong = f"{phase}, {way}: ended {late:.1f} s after its deadline"
    elif after.status != "ok":
        wrong = f"{phase}, {way}: the next worker is {after.status}"
    return Try(wrong=wrong, orphans=sum(map(lives, log.read_text().split())), seconds=late)


def work(interpreter: str, folder: Path, log: Path, phase: str) -> Outcome:
    deadlines = {**DEADLINES, phase: DEADLINE_SECONDS}
    launch = Launch(interpreter=interpreter, packages=folder, deadlines=deadlines)
    return run_worker({}, launch, log, lambda event: None)


def hang_in_runs(place: Place, phases: list[str]) -> Iterator[Try]:
    """Run the real command: some of its trials hang, each in another phase."""
    trials = [f"timing {name} {turn} {turn}" for turn in range(4) for name in place.interpreters]
    for first in range(0, len(phases), len(trials)):
        with kill_workers_at_exit(place):
            victims = dict(zip(trials, phases[first:], strict=False))
            yield from one_run(place, place.root / f"run-{first}", victims)


def one_run(place: Place, folder: Path, victims: Mapping[str, str]) -> Iterator[Try]:
    orders = {name: IN_A_RUN.format(phase=phase) for name, phase in victims.items()}
    write_orders(place.root, orders)
    generous = dict.fromkeys(("spawn", "import"), GENEROUS_SECONDS)
    deadlines = {**dict.fromkeys(DEADLINES, DEADLINE_SECONDS), **generous}
    with patch.object(request, "DEADLINES", deadlines):
        code = wait_for_end(place.start(folder))
    run = read_run(folder)
    records = {name_of(record.trial): record for record in read_records(folder, run)}
    others = [record for name, record in records.items() if name not in victims]
    lost = len(run.trials) - len(records) + sum(record.status != "ok" for record in others)
    orphans = len(workers(place)) + len(temporary_files(place, folder))
    # what concerns the whole run is in its first try
    wrong = next(iter(damages(folder)), None) if code == 1 else f"exit code {code}"
    for name, phase in victims.items():
        record = records.get(name)
        reason = f"no progress in phase {phase!r}. Expected: within {deadlines[phase]:g} s"
        if record is None or (record.status, record.reason) != ("timed_out", reason):
            wrong = f"{name}: {record and record.reason}. Expected: {reason}"
        yield Try(wrong=wrong, lost=lost, orphans=orphans)
        wrong, lost, orphans = None, 0, 0


def real_tries(share: float, folder: Path, interpreters: Mapping[str, str]) -> Iterator[Try]:
    """Run the real worker with a real framework; the first worker does not hang."""
    for backend, interpreter in interpreters.items():
        for phase in ("none", *list(DEADLINES)[: share_of(len(DEADLINES), share)]):
            yield one_real(folder, backend, interpreter, phase)


def one_real(folder: Path, backend: str, interpreter: str, phase: str) -> Try:
    source, log = folder / "sitecustomize.py", folder / f"{backend}-{phase}.log"
    source.write_text(CUSTOMIZED.format(phase=phase), encoding="utf-8")
    entered = [time.monotonic()]

    def listen(event: Mapping[str, Any]) -> None:
        if event.get("phase") == phase:
            entered.append(time.monotonic())

    with worker_packages(source) as packages:
        launch = Launch(
            interpreter=interpreter,
            packages=packages,
            variables=BACKENDS[backend].variables,
            deadlines={**DEADLINES, phase: GENEROUS_SECONDS},
        )
        outcome = run_worker(job(backend, phase), launch, log, listen)
    late = time.monotonic() - entered[-1] - GENEROUS_SECONDS
    reason = f"no progress in phase {phase!r}. Expected: within {GENEROUS_SECONDS:g} s"
    expected = ("ok", None) if phase == "none" else ("timed_out", reason)
    wrong = None
    if (outcome.status, outcome.reason) != expected:
        wrong = f"{backend}, {phase}: {outcome.status}, {outcome.reason}"
    elif phase != "none" and late > MOST_SECONDS:
        wrong = f"{backend}, {phase}: ended {late:.1f} s after its deadline"
    hung = [line.split()[-1] for line in log.read_text().splitlines() if "hangs as " in line]
    if wrong is None and phase != "none" and not hung:
        wrong = f"{backend}, {phase}: it did not hang"
    seconds = None if phase == "none" else max(0.0, late)
    return Try(wrong=wrong, orphans=sum(map(lives, hung)), seconds=seconds)


def job(backend: str, phase: str) -> dict[str, Any]:
    """Return the job of a worker that has this phase."""
    how = Execution(device="cpu", batch_size=MLP_512.batch_size)
    cell = Cell(workload="mlp-512", backend=backend, execution=how)
    names = {"backend": backend, "adapter": BACKENDS[backend].adapter}
    if phase == "calibration":
        return {**names, "cells": [cell]}
    trial = Trial(kind="timing", cell=cell, seed=0, round=0, timing=TIMING)
    if phase == "accuracy":
        trial = Trial(kind="accuracy", cell=cell, seed=0, accuracy=AccuracyPlan(epochs=1))
    return {
        **names,
        "trial": trial,
        "digests": digests(0, mnist.load(), mnist.initial_parameters(MLP_512, 0)),
        "dump": None,
    }


def lives(process: str) -> bool:
    try:
        return psutil.Process(int(process)).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


ROW = Row(number=4, fault="worker hangs, in every phase", tries=hangs, real=real_tries)
