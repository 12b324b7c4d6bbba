"""Check a cell's rungs, from the first to the last, through the calls that are timed."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import islice

import numpy as np

from bench import mnist
from bench.adapter import Array, Batch, Parameters, Program
from bench.parity import dropout, locate, oracle
from bench.parity.expected import clear_steps, losses
from bench.parity.probe import (
    Probe,
    batches,
    probe,
    remove_dropout,
    sizes,
    tanh_twin,
)
from bench.parity.rungs import (
    Difference,
    Rung,
    compare_tensors,
    compare_updates,
    compare_values,
    initial_rung,
    parameters_rung,
    rung_of,
)
from bench.spec import Execution, ParityPlan, Workload

# after some steps of Adam, float32 weights move a pre-activation by up to this share of its layer
DRIFT = 1e-6

Build = Callable[[Workload], Program]


class Ladder:
    """The rungs of one cell. `build` makes the programs: the cell's own and its variants.

    `execution` has the precision of the plan. The rungs that train do so without dropout, because
    each framework draws other masks; dropout has rungs of its own.
    """

    def __init__(
        self, build: Build, workload: Workload, execution: Execution, data: mnist.Mnist, seed: int
    ) -> None:
        self.build = build
        self.workload = replace(workload, batch_size=execution.batch_size)
        self.still = remove_dropout(self.workload)
        self.precision = execution.precision
        self.math = execution.optimizer
        self.data = data
        self.seed = seed
        self.probe: Probe = probe(self.workload, data, seed)

    @property
    def kind(self) -> str:
        """Return the optimizer whose gates hold for the rungs that train.

        torch's RMSprop divides by a root that may be zero but for epsilon, as Adam does; Keras'
        RMSprop does not. It is therefore as sensitive as Adam.
        """
        return "adam" if self.math == "stock" else self.workload.optimizer.name

    @property
    def parameters(self) -> dict[str, Array]:
        """Return the probe's weights in the dtype of the precision."""
        dtype = np.float64 if self.precision == "float64" else np.float32
        return {name: value.astype(dtype) for name, value in self.probe.parameters.items()}

    def climb(self, program: Program, plan: ParityPlan) -> Iterator[Rung]:
        """Yield every rung but `data`, each computed on demand, so that the caller may stop."""
        yield parameters_rung(self.workload, program.layers())
        program.load(self.parameters, self.seed)
        yield initial_rung(self.parameters, program.parameters())
        yield rung_of("forward", self.precision, self.forward(program))
        if self.still != self.workload:
            program = self.build(self.still)
        yield from self.training(program)
        yield from self.fit(program)
        yield self.trajectory(program, plan.steps)
        twin = tanh_twin(self.workload) if plan.twin_steps else None
        if twin is not None:
            yield self.tanh_trajectory(twin, plan.twin_steps)
        if self.precision != "float64":
            yield from dropout.rungs(self.build, self.workload, self.precision, self.probe)

    def short(self, program: Program) -> Iterator[Rung]:
        """Yield the short certificate: the quick rungs, for the very program that is timed."""
        program.load(self.parameters, self.seed)
        yield rung_of("forward", self.precision, self.forward(program))
        if self.still == self.workload:
            yield from self.training(program)

    def forward(self, program: Program) -> Iterator[Difference]:
        """Compare the logits of both batches."""
        for name, batch in self.probe.batches.items():
            *_, expected = oracle.activations(
                self.workload, self.probe.parameters, batch[0]
            ).values()
            received = program.forward(program.put(batch))
            yield compare_tensors(f"logits, {name}", expected, received)

    def training(self, program: Program) -> Iterator[Rung]:
        """Yield the rungs of the gradients and of one update by the train step."""
        program.load(self.parameters, self.seed)
        yield rung_of("gradient", self.precision, self.gradient(program))
        yield rung_of("update", self.precision, self.update(program), self.kind)

    def gradient(self, program: Program) -> Iterator[Difference]:
        """Compare loss and gradients of both batches."""
        for name, batch in self.probe.batches.items():
            expected = oracle.run(self.still, self.probe.parameters, *batch)
            loss, received = program.gradients(program.put(batch))
            yield compare_tensors(f"loss, {name}", np.array(expected.loss), np.array(loss))
            # in the order of computation: from the last layer to the first
            for tensor, gradient in reversed(expected.gradients.items()):
                yield compare_tensors(f"{tensor}, {name}", gradient, received.get(tensor))

    def update(self, program: Program) -> Iterator[Difference]:
        """Compare each tensor after one train step on each batch."""
        for name, batch in self.probe.batches.items():
            program.load(self.parameters, self.seed)
            program.train_step(program.put(batch))
            program.synchronize()
            training, _ = self.train_oracle([batch])
            yield from self.updates(name, training, program.parameters())

    def train_oracle(self, batches: Iterable[Batch]) -> tuple[oracle.Oracle, list[oracle.Pass]]:
        """Train the oracle on these batches from the probe's weights; return it and its passes."""
        training = oracle.Oracle(self.still, self.probe.parameters, self.math)
        return training, [training.step(*batch) for batch in batches]

    def updates(
        self, name: str, training: oracle.Oracle, received: Parameters
    ) -> Iterator[Difference]:
        """Compare each tensor after a training, from the last layer to the first."""
        for tensor, expected in reversed(training.parameters.items()):
            before = self.probe.parameters[tensor]
            yield compare_updates(f"{tensor}, {name}", before, expected, received.get(tensor))

    def fit(self, program: Program) -> Iterator[Rung]:
        """Yield the rungs of the framework's own loop over both batches: weights, then loss."""
        program.load(self.parameters, self.seed)
        images, labels = join_batches(self.probe)
        figures = program.fit(images, labels, self.workload.batch_size)
        program.synchronize()
        training, passes = self.train_oracle([self.probe.full, self.probe.partial])
        differences = self.updates("both batches", training, program.parameters())
        yield rung_of("fit", self.precision, differences, self.kind)
        named = zip(("loss", "accuracy"), means(passes, labels), figures, strict=True)
        yield rung_of(
            "fit loss", self.precision, [compare_values(*both) for both in named], self.kind
        )

    def trajectory(self, program: Program, steps: int) -> Rung:
        """Compare the loss of each step; in float32 until a ReLU comes within rounding of zero.

        If a ReLU flips in one step, the losses differ from the next step on.
        """
        compared = steps
        if self.precision != "float64":
            compared = clear_steps(
                f"{self.seed} {steps}",
                self.still,
                self.probe.parameters,
                lambda: self.batches(steps),
                self.math,
                DRIFT,
            )
        return self.follow("trajectory", program, self.still, steps, compared)

    def tanh_trajectory(self, twin: Workload, steps: int) -> Rung:
        """Compare the loss of each step of the tanh twin, in which no ReLU can flip."""
        return self.follow("tanh trajectory", self.build(twin), twin, steps, steps)

    def batches(self, steps: int) -> Iterator[Batch]:
        """Yield the batches of a trajectory of `steps`."""
        return batches(self.data, self.workload, self.seed, sizes(self.workload, steps))

    def follow(
        self, rung: str, program: Program, workload: Workload, steps: int, compared: int
    ) -> Rung:
        """Compare the losses of the first `compared` steps of a trajectory of `steps`.

        A rung that fails also names the first step and tensor beyond a gate.
        """
        expected = losses(
            f"{self.seed} {steps} {compared}",
            workload,
            self.probe.parameters,
            lambda: islice(self.batches(steps), compared),
            self.math,
        )
        program.load(self.parameters, self.seed)
        differences = []
        for number, (wanted, batch) in enumerate(
            zip(expected, self.batches(steps), strict=False), start=1
        ):
            program.train_step(program.put(batch))
            loss, _ = program.take_metrics()
            differences.append(compare_values(f"loss of step {number} of {steps}", wanted, loss))
        result = rung_of(rung, self.precision, differences, self.kind)
        if result.passed:
            return result
        first = next(n for n, item in enumerate(differences) if not item.measured <= result.gate)
        taken = list(islice(self.batches(steps), first + 1))
        place = locate.divergence(
            program, workload, self.parameters, taken, self.precision, self.math, self.seed
        )
        return replace(result, where=f"{result.where}; {place}")


def join_batches(probe: Probe) -> Batch:
    """Join the full and the partial batch into one array, as `fit` takes them."""
    images, labels = zip(probe.full, probe.partial, strict=True)
    return np.concatenate(images), np.concatenate(labels)


def means(passes: Sequence[oracle.Pass], labels: Array) -> tuple[float, float]:
    """Return the loss and the accuracy during a training, as means over its images."""
    counts = [len(step.logits) for step in passes]
    losses_each = [step.loss for step in passes]
    classes = np.split(labels, np.cumsum(counts)[:-1])
    accuracies = [
        oracle.accuracy(step.logits, own) for step, own in zip(passes, classes, strict=True)
    ]
    return (
        float(np.average(losses_each, weights=counts)),
        float(np.average(accuracies, weights=counts)),
    )
