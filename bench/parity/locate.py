"""Locate where a training diverges from the oracle's: the first step and the first tensor in it."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from bench.adapter import Array, Batch, Parameters, Program
from bench.parity import oracle
from bench.parity.gates import gate
from bench.parity.rungs import Difference, compare_tensors, compare_updates
from bench.spec import Workload


def divergence(
    program: Program,
    workload: Workload,
    parameters: Parameters,
    batches: Sequence[Batch],
    precision: str,
    math: str,
    seed: int,
) -> str:
    """Describe the first step and tensor beyond a gate on one line, with the values of both sides.

    Follows both trainings and compares each step's tensors in the order of computation: logits,
    loss, gradients, and updates from the last layer to the first. In each step both sides start
    from the program's own weights, so that earlier differences do not count.
    """
    program.load(parameters, seed)
    training = oracle.Oracle(workload, parameters, math)
    for number, batch in enumerate(batches, start=1):
        before = program.parameters()
        training.parameters = {name: value.astype(np.float64) for name, value in before.items()}
        for limit, difference in compare_step(program, training, batch, precision, before):
            if not difference.measured <= limit:
                return (
                    f"first at step {number}: {difference.what} ({difference.sides}), "
                    f"measured {difference.measured:.3g}, gate {limit:.3g}"
                )
    return "no single step passes a gate: the difference adds up over steps"


def compare_step(
    program: Program,
    training: oracle.Oracle,
    batch: Batch,
    precision: str,
    before: dict[str, Array],
) -> Iterator[tuple[float, Difference]]:
    """Make one step on both sides; yield each comparison with its gate.

    The program has made the step when the iterator is exhausted.
    """
    placed = program.put(batch)
    logits = program.forward(placed)
    loss, gradients = program.gradients(placed)
    expected = training.step(*batch)
    yield gate(precision, "forward"), compare_tensors("logits", expected.logits, logits)
    yield (
        gate(precision, "gradient"),
        compare_tensors("loss", np.array(expected.loss), np.array(loss)),
    )
    for tensor, gradient in reversed(expected.gradients.items()):
        difference = compare_tensors(f"gradient of {tensor}", gradient, gradients.get(tensor))
        yield gate(precision, "gradient"), difference
    program.train_step(placed)
    program.synchronize()
    after = program.parameters()
    limit = gate(precision, f"update {training.workload.optimizer.name}")
    for tensor, value in reversed(training.parameters.items()):
        difference = compare_updates(tensor, before[tensor], value, after.get(tensor))
        yield limit, replace(difference, what=f"update of {tensor}")
