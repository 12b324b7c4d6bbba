"""Run trials, several beside each other if they take turns, and make a record of each."""

import random
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from bench import mnist
from bench.machine.clocks import ClockWatch
from bench.machine.environment import ContentionMeter
from bench.machine.gpu_watch import GpuWatch, UsualClocks
from bench.parity.rungs import digests
from bench.record import ContentionModel, EnvironmentModel, Record
from bench.record.run import RunModel
from bench.run.outcome import Beside, Outcome, record_of
from bench.run.progress import Display
from bench.run.request import Request
from bench.run.workers import Assignment, Workers
from bench.spec import Trial
from bench.worker.messages import Progress, TrialTask
from bench.workloads import WORKLOADS


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """A trial that may run, with its cell's certificate, if one was planned.

    `watch` follows the GPU meanwhile; None on a CPU.
    """

    trial: Trial
    certificate: Record | None
    watch: GpuWatch | None


class Trials:
    """Runs trials in a request's workers. It keeps the clocks at which a session's GPUs ran."""

    def __init__(self, request: Request, workers: Workers, display: Display) -> None:
        self._request = request
        self._workers = workers
        self._display = display
        self._data = mnist.load()
        self._clocks = UsualClocks()

    def refuse(self, run: RunModel, trial: Trial, hindrance: Record) -> Record:
        """Return the record of a trial that does not run because of another's record."""
        # a trial that was not run itself says so already
        why = (hindrance.reason or "").removeprefix("not run: ")
        outcome = Outcome(status=hindrance.status, reason=f"not run: {why}", result=None)
        return record_of(run.run_id, trial, outcome, self._environment(run, trial), Beside())

    def run(self, run: RunModel, ready: Sequence[Ready]) -> list[Record]:
        """Run the trials, taking turns in what they time, and return their records."""
        if not ready:
            return []
        meter, clocks = ContentionMeter(time.monotonic()), ClockWatch()
        order = random.Random(f"{run.order_seed} turns {ready[0].trial.name}")
        outcomes = self._workers.work([self._assignment(each) for each in ready], order)
        used = [outcome.reported.get("cpu_seconds") for outcome in outcomes]
        known = [seconds for seconds in used if seconds is not None]
        # the CPU time of the trials beside this one is no other program's
        together = sum(known) if len(known) == len(used) else None
        load = meter.read(time.monotonic(), together)
        load = load.model_copy(update={"clock_jump_seconds": clocks.jump_seconds()})
        return [
            record_of(
                run.run_id,
                each.trial,
                outcome,
                self._environment(run, each.trial),
                self._beside(each, load.model_copy(update={"worker_cpu_seconds": own})),
                each.certificate.sha256 if each.certificate else None,
            )
            for each, outcome, own in zip(ready, outcomes, used, strict=True)
        ]

    def _beside(self, ready: Ready, load: ContentionModel) -> Beside:
        if ready.watch is None:
            return Beside(load=load)
        use, device = ready.watch.use(), ready.trial.cell.execution.device
        usual = self._clocks.usual(device)
        if ready.trial.timing is not None:
            self._clocks.note(device, use)
        return Beside(load=load, gpu=use, usual_megahertz=usual)

    def _assignment(self, ready: Ready) -> Assignment:
        trial = ready.trial
        workload = WORKLOADS[trial.cell.workload]
        initial = mnist.initial_parameters(workload, trial.seed, trial.cell.execution.dtype)
        return Assignment(
            task=TrialTask(
                backend=trial.cell.backend,
                adapter=self._request.place(trial.cell.backend).adapter,
                trial=trial,
                digests=digests(trial.seed, self._data, initial),
                dump=self._dump_folder(trial),
            ),
            name=trial.name,
            listen=lambda event: self._hear(ready, event),
            setup=trial.setup,
            cache=cache_policy(trial),
        )

    def _dump_folder(self, trial: Trial) -> str | None:
        """Return where a float64 parity trial writes its arrays; None for every other trial.

        The path is absolute, for the worker has a working folder of its own.
        """
        if self._request.dump is None or trial.parity is None:
            return None
        exact = trial.parity.precision == "float64"
        return str(self._request.dump.resolve()) if exact else None

    def _hear(self, ready: Ready, event: Progress) -> None:
        if event["event"] == "epoch":
            self._display.epoch(ready.trial, event)
        elif event["event"] == "phase" and ready.watch is not None:
            ready.watch.enter(event["phase"])

    def _environment(self, run: RunModel, trial: Trial) -> EnvironmentModel:
        backend = trial.cell.backend
        return self._workers.environment(backend, run.backends[backend].versions)


def gpu_watch(trial: Trial) -> GpuWatch | None:
    """Return a watch on the trial's GPU; None on a CPU."""
    device = trial.cell.execution.device
    return None if device == "cpu" else GpuWatch(device)


def cache_policy(trial: Trial) -> Literal["none", "cold", "kept"]:
    """Return what the trial's compiler may keep: nothing in the default mode.

    A user who names no mode gets the default mode.
    """
    if trial.cell.execution.mode == "default":
        return "none"
    return "cold" if trial.timing is not None and trial.timing.cold else "kept"
