"""One trial of one cell: built, checked, then timed or trained."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict

from bench import mnist
from bench.adapter import Array, Backend
from bench.errors import one_line
from bench.parity.ladder import Ladder
from bench.parity.rungs import (
    Rung,
    data_rung,
    digests,
    initial_rung,
    parameters_rung,
    require_changed,
)
from bench.spec import AccuracyPlan, TimingPlan
from bench.worker import measure
from bench.worker.accuracy import Training
from bench.worker.job import Job, peak_rss_bytes, trial_from
from bench.worker.settings import require_compiled
from bench.workloads import WORKLOADS

RESIDENT_BATCHES = 16
MOST_RECOMPILED_STEPS = 4
# the program is warm by then; `fit` has still to be traced and its pipeline made once
FIRST_FIT_STEPS = 16
# five pairs of a quarter and half a block: half a second of a trial
CANARY_SHARE = 4


class TrialJob(Job):
    """One trial of one cell."""

    def run(self) -> None:
        self.trial = trial_from(self.task["trial"])
        self.workload = WORKLOADS[self.trial.cell.workload]
        self.batch_size = self.trial.cell.execution.batch_size
        backend = self.open()
        self.program = self.build(backend, self.workload, self.trial.cell.execution)
        with self.phases("load"):
            self.initial = mnist.initial_parameters(
                self.workload, self.trial.seed, self.trial.cell.execution.dtype
            )
            self.program.load(self.initial, self.trial.seed)
        self.describe(self.program, self.workload, self.trial.cell.execution)
        self.climb(self.exact_rungs())
        self.first_step()
        if self.trial.timing is not None:
            self.time(self.trial.timing)
        if self.trial.accuracy is not None:
            self.train(self.trial.accuracy)
        # again: what was compiled is known by now
        self.result["settings"] = self.settings(self.program)
        require_compiled(self.trial.cell.execution, self.result["settings"])
        self.result["peak_device_bytes"] = self.program.peak_device_bytes()
        # the oracle's arrays are not the framework's memory, and its threads not the lanes'
        self.result["peak_rss_bytes"] = peak_rss_bytes()
        self.climb(self.short_certificate(backend))

    def exact_rungs(self) -> Iterator[Rung]:
        """What was given to this trial is what it has."""
        received = digests(self.trial.seed, self.data, self.initial)
        yield data_rung(self.task["digests"], received)
        yield parameters_rung(self.workload, self.program.layers())
        yield initial_rung(self.initial, self.program.parameters())

    def short_certificate(self, backend: Backend) -> Iterator[Rung]:
        """The very program that was timed still computes what the oracle does."""
        execution = self.trial.cell.execution
        ladder = Ladder(
            lambda workload: backend.build(workload, execution),
            self.workload, execution, self.data, seed=0,
        )  # fmt: skip
        yield from ladder.short(self.program)

    def first_step(self) -> None:
        """The first step, timed (it compiles), then everything loaded anew."""
        with self.phases("load"):
            size = self.steps_per_call * self.batch_size
            images, labels = self.training_data(
                self.workload, RESIDENT_BATCHES * size, self.trial.seed
            )
            starts = range(0, len(labels) - size + 1, size)
            self.batches = [
                self.program.put((images[at : at + size], labels[at : at + size])) for at in starts
            ]
        with self.phases("first_step"):
            self.one_call()
        with self.phases("recompile"):
            self.until_compiled()
        with self.phases("load"):
            self.program.load(self.initial, self.trial.seed)

    @property
    def steps_per_call(self) -> int:
        return 1 if self.trial.timing is None else self.trial.timing.steps_per_call

    def one_call(self) -> None:
        self.program.train_step(self.batches[0])
        self.program.synchronize()

    def until_compiled(self) -> None:
        """Some compilers find out in the second step what the first has changed."""
        for _ in range(MOST_RECOMPILED_STEPS):
            compiled = self.program.compilations()
            self.one_call()
            if self.program.compilations() == compiled:
                break

    def time(self, plan: TimingPlan) -> None:
        """The lanes `step`, `latency`, `native` and `tutorial`, each warmed up, and the canary."""
        self.sensors = measure.Sensors(turn=lambda: self.take_turn(plan))
        self.result["lanes"] = {}
        with self.phases("load"):
            images, labels = self.training_data(
                self.workload, plan.native_steps * self.batch_size, self.trial.seed
            )
        self.time_steps(plan)
        self.time_latency(plan)
        with self.phases("parity"):
            self.check_canary(plan)
            stepped = self.program.parameters()
            require_changed("the train step", self.initial, stepped)
        with self.phases("warmup"):
            for steps in self.first_slices(plan):
                warm = steps * self.batch_size
                self.program.fit(images[:warm], labels[:warm], self.batch_size)
        with self.phases("native"):
            self.result["lanes"]["native"] = measure.native_lane(
                self.program, images, labels, self.batch_size, plan, self.sensors,
                time.perf_counter,
            )  # fmt: skip
        with self.phases("parity"):
            require_changed("fit", stepped, self.program.parameters())
        self.result["windows"] = self.sensors.columns()
        if plan.tutorial_steps:
            with self.phases("tutorial"):
                self.time_tutorial(images, labels, plan.tutorial_steps)
        if plan.power_seconds:
            with self.phases("power"):
                self.result["lanes"]["power"] = self.power_lane(plan)

    def first_slices(self, plan: TimingPlan) -> Sequence[int]:
        """Steps that `fit` makes before it is timed; a program of many is one for each number."""
        if self.trial.cell.execution.many_steps:
            return plan.native_steps, measure.short_steps(plan)
        return (min(FIRST_FIT_STEPS, plan.native_steps),)

    def time_steps(self, plan: TimingPlan) -> None:
        """Warm-up, then blocks; a compilation among the blocks is flagged."""
        with self.phases("warmup"):
            warm = measure.warm_up(
                lambda: self.block(plan), plan.window_blocks, self.program.compilations
            )
        compiled = self.program.compilations()
        with self.phases("step"):
            blocks = [self.watched_block(plan) for _ in range(plan.blocks)]
        if not warm.steady or measure.has_two_levels(blocks):
            self.result["flags"].append("no_steady_state")
        if self.program.compilations() != compiled:
            self.result["flags"].append("recompiled")
        self.result["lanes"]["step"] = {
            "warm_up_block_seconds": list(warm.block_seconds),
            "block_seconds": blocks,
            "steps_per_block": plan.steps_per_block,
            "batch_size": self.batch_size,
        }

    def take_turn(self, plan: TimingPlan) -> None:
        """Wait for the turn, then some steps that nobody times."""
        self.await_turn()
        if plan.run_up_steps:
            with self.phases.apart("run_up"):
                self.steps(plan.run_up_steps)

    def block(self, plan: TimingPlan) -> float:
        return self.steps(plan.steps_per_block)

    def steps(self, count: int) -> float:
        calls = max(1, count // self.steps_per_call)
        return measure.step_block(self.program, self.batches, calls, time.perf_counter)

    def watched_block(self, plan: TimingPlan) -> float:
        with self.sensors.window("step"):
            return self.block(plan)

    def time_latency(self, plan: TimingPlan) -> None:
        if not plan.latency_steps:
            return
        with self.phases("latency"):
            self.result["lanes"]["latency"] = {
                "step_seconds": measure.latency_lane(
                    self.program, self.batches, plan.latency_steps, self.sensors,
                    time.perf_counter,
                ),
                "batch_size": self.batch_size,
            }  # fmt: skip

    def power_lane(self, plan: TimingPlan) -> dict[str, float | int]:
        """Blocks until `power_seconds` are over; the parent reads the energy at both ends."""
        seconds, blocks = 0.0, 0
        while seconds < plan.power_seconds:
            seconds += self.block(plan)
            blocks += 1
        steps = blocks * plan.steps_per_block
        return {"seconds": seconds, "steps": steps, "batch_size": self.batch_size}

    def check_canary(self, plan: TimingPlan) -> None:
        """Raise `MeasurementError` where times are not those of the work; flag a doubtful ratio."""
        calls = max(1, plan.steps_per_block // CANARY_SHARE // self.steps_per_call)
        seen = measure.canary(self.program, self.batches, calls, time.perf_counter)
        seen.require_sound()
        if seen.doubtful:
            self.result["flags"].append("canary")
        self.result["lanes"]["canary"] = {**asdict(seen), "steps": calls * self.steps_per_call}

    def time_tutorial(self, images: Array, labels: Array, steps: int) -> None:
        """One warm slice through a newcomer's pipeline; a reason where it isn't installed."""
        folder = mnist.raw_folder()
        warm, count = self.batch_size, steps * self.batch_size
        try:
            self.program.tutorial(folder, images[:warm], labels[:warm], self.batch_size)
        except ImportError as error:
            self.result["tutorial_missing"] = one_line(error)
            return
        self.program.synchronize()
        started = time.perf_counter()
        self.program.tutorial(folder, images[:count], labels[:count], self.batch_size)
        self.program.synchronize()
        self.result["lanes"]["tutorial"] = {
            "slice_seconds": [time.perf_counter() - started],
            "steps_per_slice": steps,
            "batch_size": self.batch_size,
        }

    def train(self, plan: AccuracyPlan) -> None:
        with self.phases("load"):
            training = Training(
                self.program,
                self.workload,
                self.data,
                plan=plan,
                seed=self.trial.seed,
                batch_size=self.batch_size,
                send=self.send,
            )
        with self.phases("accuracy"):
            self.result["accuracy"] = training.run(self.initial)
