"""The rungs of dropout: read its masks out of the train step itself.

The batch has the usual shape, but only one of its images has a gradient: the last bias makes the
loss of every other image exactly zero. The dense kernel behind the dropout is zero, so the mask
changes nothing but the gradient of that kernel. The change of row i, as a share of what it would be
without dropout, shows the mask: 0 if value i was dropped, 1 / (1 - rate) if it was kept. The
optimizer subtracts the gradient itself: it is RMSprop with an epsilon that dwarfs the gradient.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from bench.adapter import Array, Batch, Program
from bench.errors import UsageError
from bench.parity import oracle
from bench.parity.probe import Probe, remove_dropout
from bench.parity.rungs import Difference, Rung, ratio, rung_of
from bench.spec import Conv2D, Dense, Dropout, Layer, Optimizer, Workload

STEPS = 8
# so small that a step leaves the gradient of the next step unchanged
RATE = 1e-9
# rate g / sqrt(v + epsilon) is RATE g, for gradients far below 1000
PLAIN_DESCENT = Optimizer(name="rmsprop", learning_rate=1e3 * RATE, decay=(0.9,), epsilon=1e6)
# above what kernels add or subtract, so that no ReLU cuts a value to zero
POSITIVE_BIAS = {"conv": 3.0, "dense": 0.1}
# well between a dropped value's 0 and a survivor's 1, or 0.75 if it was not scaled
DROPPED = 0.3
# exp(-100) is zero beside 1, and so is the loss of an image of this class
CERTAIN = 100.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Masks:
    """What some training steps dropped.

    `kept` `(steps, values)`: 0 where a value was dropped, 1 where it was kept and scaled right.
    """

    kept: NDArray[np.float64]
    rate: float


def rungs(
    build: Callable[[Workload], Program], workload: Workload, precision: str, probe: Probe
) -> Iterator[Rung]:
    """Yield the three rungs of each dropout layer; none for a workload without dropout."""
    for name, kernel in sites(workload).items():
        masks = read_masks(build, workload, probe, name, kernel)
        yield rung_of("dropout share", precision, [share(name, masks)])
        yield rung_of("dropout scale", precision, [scale(name, masks)])
        yield rung_of("dropout masks", precision, [repetition(name, masks)])


def sites(workload: Workload) -> dict[str, str]:
    """Return each dropout's name with the kernel of the dense layer behind it.

    Raises `UsageError` for a dropout that no dense layer follows.
    """
    kernels: dict[str, str] = {}
    waiting: str | None = None
    for name, layer, _ in workload.named_layers():
        if isinstance(layer, Dropout):
            waiting = name
        elif waiting is not None and isinstance(layer, Dense):
            kernels[waiting] = f"{name}/kernel"
            waiting = None
        elif waiting is not None and isinstance(layer, Conv2D):
            raise UsageError(
                f"{waiting} of {workload.name} can't be certified. Expected: a dense layer behind "
                f"it. Received: {name}"
            )
    return kernels


def read_masks(
    build: Callable[[Workload], Program], workload: Workload, probe: Probe, name: str, kernel: str
) -> Masks:
    """Train some steps on the same batch and read what each step dropped."""
    alone = replace(workload, layers=keep_dropout(workload, name), optimizer=PLAIN_DESCENT)
    parameters = positive_parameters(probe.parameters, kernel)
    batch = uncertain_batch(probe.full)
    gradient = oracle.run(remove_dropout(alone), parameters, *batch).gradients[kernel]
    column = int(np.abs(gradient).max(axis=0).argmax())
    clear = gradient[:, column] / np.abs(gradient[:, column]).max()
    rows = np.abs(clear) > 0.01
    (rate,) = (layer.rate for layer in alone.layers if isinstance(layer, Dropout) and layer.rate)
    program = build(alone)
    program.load(parameters, 0)
    placed = program.put(batch)
    kept, before = [], parameters[kernel]
    for _ in range(STEPS):
        program.train_step(placed)
        program.synchronize()
        after = program.parameters()[kernel]
        change = (before - after)[rows, column].astype(np.float64)
        kept.append(change / (RATE * gradient[rows, column]) * (1 - rate))
        before = after
    return Masks(kept=np.array(kept), rate=rate)


def keep_dropout(workload: Workload, name: str) -> tuple[Layer, ...]:
    """Return the layers with every dropout but the named one switched off."""
    return tuple(
        replace(layer, rate=0.0) if isinstance(layer, Dropout) and own != name else layer
        for own, layer, _ in workload.named_layers()
    )


def positive_parameters(parameters: Mapping[str, Array], kernel: str) -> dict[str, Array]:
    """Return parameters that keep every ReLU open and decide for class 0; `kernel` is zero."""
    raised = {
        name: np.full_like(value, POSITIVE_BIAS[name.partition("_")[0]])
        for name, value in parameters.items()
        if name.endswith("/bias")
    }
    last = list(raised)[-1]
    raised[last] = np.zeros_like(raised[last])
    raised[last][0] = CERTAIN
    return {**parameters, **raised, kernel: np.zeros_like(parameters[kernel])}


def uncertain_batch(batch: Batch) -> Batch:
    """Return the batch with the first image labelled as class 1 and all others as class 0."""
    images, labels = batch
    changed = np.zeros_like(labels)
    changed[0] = 1
    return images, changed


def share(name: str, masks: Masks) -> Difference:
    """Compare the share of zeros with the rate, in standard errors sqrt(rate (1 - rate) / n).

    That is the standard error of a binomial share.
    """
    dropped = float((np.abs(masks.kept) < DROPPED).mean())
    error = float(np.sqrt(masks.rate * (1 - masks.rate) / masks.kept.size))
    return Difference(
        what=f"{name}: share of zeros",
        measured=abs(dropped - masks.rate) / error,
        sides=f"expected {masks.rate:.4g} within {error:.2g}, received {dropped:.6g}",
    )


def scale(name: str, masks: Masks) -> Difference:
    """Compare the scale of the survivors with 1 / (1 - rate), as a share of it."""
    # a NaN is not a dropped value either
    survivors = masks.kept[~(np.abs(masks.kept) < DROPPED)]
    # if nothing survives, the share of zeros has failed already
    worst = survivors[np.abs(survivors - 1).argmax()] if survivors.size else 1.0
    scaled = 1 / (1 - masks.rate)
    return Difference(
        what=f"{name}: scale of survivors",
        measured=ratio(float(abs(worst - 1)), 1.0),
        sides=f"expected {scaled:.6g}, received {worst * scaled:.6g}",
    )


def repetition(name: str, masks: Masks) -> Difference:
    """Measure the largest correlation between the masks of successive steps, in standard errors.

    The standard error of a correlation of n independent values is 1 / sqrt(n).
    """
    steps = masks.kept - masks.kept.mean(axis=1, keepdims=True)
    norms = np.sqrt((steps**2).sum(axis=1))
    pairs = (steps[1:] * steps[:-1]).sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        correlations = np.nan_to_num(pairs / (norms[1:] * norms[:-1]), nan=1.0)
    worst = float(np.abs(correlations).max())
    return Difference(
        what=f"{name}: masks of successive steps",
        measured=worst * float(np.sqrt(steps.shape[1])),
        sides=f"expected no correlation, received {worst:.4g}",
    )
