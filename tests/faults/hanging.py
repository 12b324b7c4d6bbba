"""Row 4: a worker hangs, in each phase and in several ways; it is ended on time, with all of it."""

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
from tests.faults.matrix import Row, Try, so_many
from tests.faults.runs import Place, damaged, ended, none_left, unfinished, workers
from tests.faults.stand_in import name_of, order

DEADLINE_SECONDS = 0.3
# of those phases that the next worker goes through
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
# all lanes, so that there are all phases; blocks long enough for the canary
TIMING = TimingPlan(
    window_blocks=2, blocks=2, steps_per_block=64, native_steps=64, native_slices=1,
    tutorial_steps=4, latency_steps=4, power_seconds=0.1,
)  # fmt: skip
# Python imports it at its start
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


def hanging(share: float, folder: Path) -> Iterator[Try]:
    ways = list(product(DEADLINES, WAYS))
    random.Random(4).shuffle(ways)
    for number, (phase, way) in enumerate(ways[: so_many(len(ways), share)]):
        yield one_try(folder, number, phase, way)
    yield from in_runs(Place.make(folder), list(DEADLINES)[: so_many(len(DEADLINES), share)])


def one_try(folder: Path, number: int, phase: str, way: str) -> Try:
    """One that hangs, then one that does not, as the next of a run would come."""
    hangs = write_script(folder, f"hangs-{number}", BODY.format(phase=phase, way=WAYS[way]))
    log = folder / f"{number}.log"
    started = time.monotonic()
    outcome = worked(hangs, folder, log, phase)
    late = time.monotonic() - started - DEADLINE_SECONDS
    good = write_script(folder, f"good-{number}", GOOD)
    after = worked(good, folder, folder / f"{number}-next.log", phase="none")
    wrong = None
    if outcome.status != "timed_out" or f"in phase '{phase}'" not in (outcome.reason or ""):
        wrong = f"{phase}, {way}: {outcome.status}, {outcome.reason}"
    elif late > MOST_SECONDS:
        wrong = f"{phase}, {way}: ended {late:.1f} s after its deadline"
    elif after.status != "ok":
        wrong = f"{phase}, {way}: the next worker is {after.status}"
    return Try(wrong=wrong, orphans=sum(map(lives, log.read_text().split())), seconds=late)


def worked(interpreter: str, folder: Path, log: Path, phase: str) -> Outcome:
    deadlines = {**DEADLINES, phase: DEADLINE_SECONDS}
    launch = Launch(interpreter=interpreter, packages=folder, deadlines=deadlines)
    return run_worker({}, launch, log, lambda event: None)


def in_runs(place: Place, phases: list[str]) -> Iterator[Try]:
    """The same in runs of the real command: some of its trials hang, each in another phase."""
    trials = [f"timing {name} {turn} {turn}" for turn in range(4) for name in place.interpreters]
    for first in range(0, len(phases), len(trials)):
        with none_left(place):
            victims = dict(zip(trials, phases[first:], strict=False))
            yield from one_run(place, place.root / f"run-{first}", victims)


def one_run(place: Place, folder: Path, victims: Mapping[str, str]) -> Iterator[Try]:
    order(place.root, {name: IN_A_RUN.format(phase=phase) for name, phase in victims.items()})
    generous = dict.fromkeys(("spawn", "import"), GENEROUS_SECONDS)
    deadlines = {**dict.fromkeys(DEADLINES, DEADLINE_SECONDS), **generous}
    with patch.object(request, "DEADLINES", deadlines):
        code = ended(place.start(folder))
    run = read_run(folder)
    records = {name_of(one.trial): one for one in read_records(folder, run)}
    others = [one for name, one in records.items() if name not in victims]
    lost = len(run.trials) - len(records) + sum(one.status != "ok" for one in others)
    left = len(workers(place)) + len(unfinished(place, folder))
    # what concerns the run as a whole stands with its first try
    wrong = next(iter(damaged(folder)), None) if code == 1 else f"exit code {code}"
    for name, phase in victims.items():
        found = records.get(name)
        told = f"no progress in phase {phase!r}. Expected: within {deadlines[phase]:g} s"
        if found is None or (found.status, found.reason) != ("timed_out", told):
            wrong = f"{name}: {found and found.reason}. Expected: {told}"
        yield Try(wrong=wrong, lost=lost, orphans=left)
        wrong, lost, left = None, 0, 0


def real(share: float, folder: Path, interpreters: Mapping[str, str]) -> Iterator[Try]:
    """The real worker with a real framework; first one that hangs nowhere."""
    for backend, interpreter in interpreters.items():
        for phase in ("none", *list(DEADLINES)[: so_many(len(DEADLINES), share)]):
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
    told = f"no progress in phase {phase!r}. Expected: within {GENEROUS_SECONDS:g} s"
    expected = ("ok", None) if phase == "none" else ("timed_out", told)
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
    """The job of a worker that comes to this phase."""
    how = Execution(device="cpu", batch_size=MLP_512.batch_size)
    cell = Cell(workload="mlp-512", backend=backend, execution=how)
    whose = {"backend": backend, "adapter": BACKENDS[backend].adapter}
    if phase == "calibration":
        return {**whose, "cells": [cell]}
    trial = Trial(kind="timing", cell=cell, seed=0, round=0, timing=TIMING)
    if phase == "accuracy":
        trial = Trial(kind="accuracy", cell=cell, seed=0, accuracy=AccuracyPlan(epochs=1))
    return {
        **whose,
        "trial": trial,
        "digests": digests(0, mnist.load(), mnist.initial_parameters(MLP_512, 0)),
        "dump": None,
    }


def lives(process: str) -> bool:
    try:
        return psutil.Process(int(process)).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


ROW = Row(number=4, fault="worker hangs, in every phase", tries=hanging, real=real)
