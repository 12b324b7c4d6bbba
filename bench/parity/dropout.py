"""The rungs of dropout: its masks, read out of the train step itself.

A batch holds one image many times. The dense kernel behind the dropout is zero, so that every
copy has the same gradient but for its mask: the change of row i of that kernel, as a share of what
it would be without dropout, is the share of copies that kept value i, times 1 / (1 - rate). The
optimizer is made to subtract the gradient itself: RMSprop with an epsilon that dwarfs it.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from bench import oracle
from bench.adapter import Array, Batch, Program
from bench.errors import UsageError
from bench.parity.probe import Probe, without_dropout
from bench.parity.rungs import Difference, Rung, rung_of
from bench.spec import Conv2D, Dense, Dropout, Layer, Optimizer, Workload

STEPS = 4
# so small that one step leaves the next one's gradient as it was
RATE = 1e-9
# rate g / sqrt(v + epsilon) is RATE g, for gradients far below 1000
PLAIN_DESCENT = Optimizer(name="rmsprop", learning_rate=1e3 * RATE, decay=(0.9,), epsilon=1e6)
# above what kernels add or take away, so that no ReLU cuts a value to zero
POSITIVE_BIAS = {"conv": 3.0, "dense": 0.1}


@dataclass(frozen=True, slots=True, kw_only=True)
class Masks:
    """What some training steps dropped.

    `kept` `(steps, values)`: how many of `copies` kept a value, were they scaled as they should;
    whole numbers, then.
    """

    kept: NDArray[np.float64]
    copies: int
    rate: float


def rungs(
    build: Callable[[Workload], Program], workload: Workload, precision: str, probe: Probe
) -> Iterator[Rung]:
    """Nothing for a workload without dropout."""
    for name, kernel in sites(workload).items():
        masks = read_masks(build, workload, probe, name, kernel)
        yield rung_of("dropout share", precision, shares(name, masks))
        yield rung_of("dropout scale", precision, [scale(name, masks)])
        yield rung_of("dropout masks", precision, [repetition(name, masks)])


def sites(workload: Workload) -> dict[str, str]:
    """Each dropout's name and the kernel of the dense layer behind it.

    Raises `UsageError` for a dropout that no dense layer follows.
    """
    found: dict[str, str] = {}
    waiting: str | None = None
    for name, layer, _ in workload.named_layers():
        if isinstance(layer, Dropout):
            waiting = name
        elif waiting is not None and isinstance(layer, Dense):
            found[waiting] = f"{name}/kernel"
            waiting = None
        elif waiting is not None and isinstance(layer, Conv2D):
            raise UsageError(
                f"{waiting} of {workload.name} can't be certified. Expected: a dense layer behind "
                f"it. Received: {name}"
            )
    return found


def read_masks(
    build: Callable[[Workload], Program], workload: Workload, probe: Probe, name: str, kernel: str
) -> Masks:
    """Train some steps on copies of one image and read what each step dropped."""
    alone = replace(workload, layers=only(workload, name), optimizer=PLAIN_DESCENT)
    parameters = positive(probe.parameters, kernel)
    batch = copies_of_first(probe.full)
    gradient = oracle.run(without_dropout(alone), parameters, *batch).gradients[kernel]
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
        kept.append(change / (RATE * gradient[rows, column]) * (1 - rate) * len(batch[1]))
        before = after
    return Masks(kept=np.array(kept), copies=len(batch[1]), rate=rate)


def only(workload: Workload, name: str) -> tuple[Layer, ...]:
    """The layers, every dropout but this one switched off."""
    return tuple(
        replace(layer, rate=0.0) if isinstance(layer, Dropout) and own != name else layer
        for own, layer, _ in workload.named_layers()
    )


def positive(parameters: Mapping[str, Array], kernel: str) -> dict[str, Array]:
    """Biases that keep every ReLU open, and zeros for `kernel`."""
    raised = {
        name: np.full_like(value, POSITIVE_BIAS[name.partition("_")[0]])
        for name, value in parameters.items()
        if name.endswith("/bias")
    }
    return {**parameters, **raised, kernel: np.zeros_like(parameters[kernel])}


def copies_of_first(batch: Batch) -> Batch:
    images, labels = batch
    return np.repeat(images[:1], len(images), axis=0), np.repeat(labels[:1], len(labels))


def shares(name: str, masks: Masks) -> Iterator[Difference]:
    """The share of zeros, and how it varies from value to value, in standard errors.

    Kept copies are binomial: mean n q and variance n q (1 - q), with q = 1 - rate. Without any
    dropout the mean would be the same, for survivors are scaled up; the variance would be zero.
    """
    q, values = 1 - masks.rate, masks.kept.size
    variance = masks.copies * q * (1 - q)
    share = 1 - float(masks.kept.mean()) / masks.copies
    error = np.sqrt(q * (1 - q) / (values * masks.copies))
    yield Difference(
        what=f"{name}: share of zeros",
        measured=float(abs(share - masks.rate) / error),
        sides=f"expected {masks.rate:.4g} within {error:.2g}, received {share:.6g}",
    )
    spread = float(((masks.kept - masks.copies * q) ** 2).mean() / variance)
    # the variance of a squared standardized binomial: 2 + (1 - 6 q (1 - q)) / (n q (1 - q))
    error = np.sqrt((2 + (1 - 6 * q * (1 - q)) / variance) / values)
    yield Difference(
        what=f"{name}: variance of the share",
        measured=float(abs(spread - 1) / error),
        sides=f"expected 1 within {error:.2g} of the binomial one, received {spread:.6g}",
    )


def scale(name: str, masks: Masks) -> Difference:
    """How far the kept copies are from whole numbers, as they are if survivors are scaled right."""
    off = np.abs(masks.kept - masks.kept.round())
    worst = np.unravel_index(off.argmax(), off.shape)
    return Difference(
        what=f"{name}: scale of survivors",
        measured=float(off[worst]),
        sides=f"expected a whole number of kept copies, received {masks.kept[worst]:.6g}",
    )


def repetition(name: str, masks: Masks) -> Difference:
    """The largest correlation between the masks of two steps in a row, in standard errors."""
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
