"""The job of a timing trial: its lanes in order, each in its phase, and the checks between them.

What each lane times is in `bench/worker/measure/lanes.py`.
"""

import time

from bench import mnist
from bench.adapter import Array
from bench.errors import one_line
from bench.parity.rungs import require_changed
from bench.spec import TimingPlan
from bench.worker import measure
from bench.worker.trial import TrialJob


class TimingJob(TrialJob):
    """Times one cell."""

    def measure(self) -> None:
        """Time all lanes of the plan."""
        assert self.trial.timing is not None, "the entry sends no other trial here"
        self.time(self.trial.timing)

    def time(self, plan: TimingPlan) -> None:
        """Fill `lanes` and `windows`, and add the flags.

        Raises `ParityError` if the train step or `fit` changed no weight.
        """
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
        self.time_fit(images, labels, plan)
        with self.phases("parity"):
            require_changed("fit", stepped, self.program.parameters())
        self.result["windows"] = self.sensors.columns()
        self.time_tutorial(images, labels, plan)
        self.time_power(plan)

    def take_turn(self, plan: TimingPlan) -> None:
        """Wait for the turn, then make the steps of the run-up."""
        self.await_turn()
        measure.run_up(self.program, self.batches, plan, self.phases, time.perf_counter)

    def time_steps(self, plan: TimingPlan) -> None:
        lane, flags = measure.step_lane(
            self.program, self.batches, self.batch_size, plan, self.phases, self.sensors,
            time.perf_counter,
        )  # fmt: skip
        self.result["flags"] += flags
        self.result["lanes"]["step"] = lane

    def time_latency(self, plan: TimingPlan) -> None:
        if not plan.latency_steps:
            return
        with self.phases("latency"):
            self.result["lanes"]["latency"] = measure.latency_lane(
                self.program, self.batches, self.batch_size, plan, self.sensors,
                time.perf_counter,
            )  # fmt: skip

    def check_canary(self, plan: TimingPlan) -> None:
        """Raise `MeasurementError` if times are not those of the work; flag a doubtful ratio."""
        lane, flags = measure.canary_lane(self.program, self.batches, plan, time.perf_counter)
        self.result["flags"] += flags
        self.result["lanes"]["canary"] = lane

    def time_fit(self, images: Array, labels: Array, plan: TimingPlan) -> None:
        with self.phases("warmup"):
            measure.warm_fit(
                self.program, images, labels, self.batch_size, plan,
                many_steps=self.trial.cell.execution.many_steps,
            )  # fmt: skip
        with self.phases("native"):
            self.result["lanes"]["native"] = measure.native_lane(
                self.program, images, labels, self.batch_size, plan, self.sensors,
                time.perf_counter,
            )  # fmt: skip

    def time_tutorial(self, images: Array, labels: Array, plan: TimingPlan) -> None:
        """Time the tutorial pipeline; note the reason if it is not installed."""
        if not plan.tutorial_steps:
            return
        with self.phases("tutorial"):
            folder = mnist.raw_folder()
            try:
                measure.warm_tutorial(self.program, folder, images, labels, self.batch_size)
            except ImportError as error:
                self.result["tutorial_missing"] = one_line(error)
                return
            self.result["lanes"]["tutorial"] = measure.tutorial_lane(
                self.program, folder, images, labels, self.batch_size, plan, time.perf_counter
            )

    def time_power(self, plan: TimingPlan) -> None:
        if not plan.power_seconds:
            return
        with self.phases("power"):
            self.result["lanes"]["power"] = measure.power_lane(
                self.program, self.batches, self.batch_size, plan, time.perf_counter
            )
