"""What is computed and how: frozen values, checked when they are made and never changed afterwards.

A variant of a value is `dataclasses.replace(value, ...)`, which checks it again.
"""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias

from bench.errors import UsageError

ACTIVATIONS = ("relu", "tanh", "linear")
PADDINGS = ("same", "valid")
MODES = ("default", "compiled", "graph", "epoch")
PRECISIONS = ("float32", "tf32", "bfloat16", "float64")
OPTIMIZER_MATH = ("matched", "stock")
LABELS = ("integer", "one-hot")

TRAIN_IMAGES = 60_000
TEST_IMAGES = 10_000
IMAGE_SHAPE = (28, 28, 1)
CLASSES = 10

DEVICE = re.compile(r"cpu|cuda:(0|[1-9][0-9]{0,3})")
NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")

Shape: TypeAlias = tuple[int, ...]
TrialKind = Literal["parity", "timing", "accuracy"]


def require(condition: bool, what: str, *, expected: object, received: object) -> None:
    """Raise `UsageError` in the project's one wording unless `condition` holds."""
    if not condition:
        raise UsageError(f"{what}. Expected: {expected}. Received: {received!r}")


def is_count(value: object) -> bool:
    """Whether `value` is a whole number of at least 1 (and not a bool)."""
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1


def is_real(value: object) -> bool:
    """Whether `value` is a finite number (and not a bool)."""
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return number and math.isfinite(value)  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True, kw_only=True)
class Dense:
    """`activation(x @ kernel + bias)`; kernel `(in, units)`, bias `(units,)`."""

    units: int
    activation: str = "relu"
    kind = "dense"

    def __post_init__(self) -> None:
        require(
            is_count(self.units), "dense units", expected="an integer >= 1", received=self.units
        )
        require_activation(self.activation)

    def output_shape(self, shape: Shape) -> Shape:
        require(
            len(shape) == 1,
            "a dense layer takes vectors; put a Flatten before it",
            expected="an input of shape (features,)",
            received=shape,
        )
        return (self.units,)

    def parameter_shapes(self, shape: Shape) -> dict[str, Shape]:
        return {"kernel": (shape[0], self.units), "bias": (self.units,)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Conv2D:
    """A convolution of stride 1 over `(height, width, channels)`; kernel `(h, w, in, filters)`.

    With an even kernel, "same" pads one more row at the bottom and one more column at the right.
    """

    filters: int
    kernel_size: int
    padding: str = "same"
    activation: str = "relu"
    kind = "conv"

    def __post_init__(self) -> None:
        for what, value in (("filters", self.filters), ("kernel_size", self.kernel_size)):
            require(is_count(value), f"conv {what}", expected="an integer >= 1", received=value)
        require(
            self.padding in PADDINGS,
            "unknown padding",
            expected=f"one of {', '.join(PADDINGS)}",
            received=self.padding,
        )
        require_activation(self.activation)

    def output_shape(self, shape: Shape) -> Shape:
        height, width, _ = require_image(self.kind, shape)
        lost = 0 if self.padding == "same" else self.kernel_size - 1
        require(
            min(height, width) > lost,
            "the convolution's kernel is larger than its input",
            expected=f"kernel_size <= {min(height, width)}",
            received=self.kernel_size,
        )
        return (height - lost, width - lost, self.filters)

    def parameter_shapes(self, shape: Shape) -> dict[str, Shape]:
        kernel = (self.kernel_size, self.kernel_size, shape[2], self.filters)
        return {"kernel": kernel, "bias": (self.filters,)}


@dataclass(frozen=True, slots=True, kw_only=True)
class MaxPool2D:
    """The largest value of each `size` x `size` square; what does not fill a square is dropped."""

    size: int
    kind = "pool"

    def __post_init__(self) -> None:
        require(is_count(self.size), "pool size", expected="an integer >= 1", received=self.size)

    def output_shape(self, shape: Shape) -> Shape:
        height, width, channels = require_image(self.kind, shape)
        require(
            min(height, width) >= self.size,
            "the pool is larger than its input",
            expected=f"size <= {min(height, width)}",
            received=self.size,
        )
        return (height // self.size, width // self.size, channels)

    def parameter_shapes(self, shape: Shape) -> dict[str, Shape]:
        return {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Dropout:
    """In training a share `rate` of the values becomes 0, the others are divided by 1 - rate."""

    rate: float
    kind = "dropout"

    def __post_init__(self) -> None:
        require(
            is_real(self.rate) and 0.0 <= self.rate < 1.0,
            "dropout rate",
            expected="a number in [0, 1)",
            received=self.rate,
        )

    def output_shape(self, shape: Shape) -> Shape:
        return shape

    def parameter_shapes(self, shape: Shape) -> dict[str, Shape]:
        return {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Flatten:
    """`(height, width, channels)` to a vector, channels running fastest (the order of NHWC)."""

    kind = "flatten"

    def output_shape(self, shape: Shape) -> Shape:
        return (math.prod(shape),)

    def parameter_shapes(self, shape: Shape) -> dict[str, Shape]:
        return {}


Layer: TypeAlias = Dense | Conv2D | MaxPool2D | Dropout | Flatten


@dataclass(frozen=True, slots=True, kw_only=True)
class Optimizer:
    """An optimizer in Keras 3's equations and with its defaults.

    `decay` is beta_1 and beta_2 for Adam (Kingma and Ba 2015, with epsilon added to the root of
    the uncorrected second moment), and rho for RMSprop (epsilon inside the root).
    """

    name: Literal["adam", "rmsprop"]
    learning_rate: float = 0.001
    decay: tuple[float, ...]
    epsilon: float = 1e-7

    def __post_init__(self) -> None:
        lengths = {"adam": 2, "rmsprop": 1}
        require(
            self.name in lengths,
            "unknown optimizer",
            expected=f"one of {', '.join(lengths)}",
            received=self.name,
        )
        require(
            len(self.decay) == lengths[self.name]
            and all(is_real(rate) and 0 <= rate < 1 for rate in self.decay),
            f"decay of {self.name}",
            expected=f"{lengths[self.name]} numbers in [0, 1)",
            received=self.decay,
        )
        for what, value in (("learning_rate", self.learning_rate), ("epsilon", self.epsilon)):
            require(
                is_real(value) and value > 0, what, expected="a finite number > 0", received=value
            )


ADAM = Optimizer(name="adam", decay=(0.9, 0.999))
RMSPROP = Optimizer(name="rmsprop", decay=(0.9,))


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedResult:
    """What one source printed for a workload; None where it printed nothing.

    `step_milliseconds` is the range its progress bar showed, `sample_microseconds` the same per
    sample. No source names its hardware, so these are footnotes, never rows beside measured ones.
    """

    source: str
    title: str
    author: str | None
    where: str
    date: str | None
    framework: str
    test_accuracy: float | None = None
    test_loss: float | None = None
    wrong: int | None = None
    last_epoch_train_accuracy: float | None = None
    last_epoch_train_loss: float | None = None
    train_accuracy_after: float | None = None
    train_loss_after: float | None = None
    step_milliseconds: tuple[float, float] | None = None
    sample_microseconds: tuple[float, float] | None = None
    parameters_printed: int | None = None
    wrong_indices: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerSummary:
    """One row of a layer table. `output_shape` is without the batch axis and channels-last."""

    name: str
    kind: str
    output_shape: Shape
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """What is computed: layers, loss (softmax cross-entropy on logits), optimizer, batch, epochs.

    `input_shape` is one image's, without the batch axis: `(784,)` or `(28, 28, 1)`. `labels` says
    how a framework is given them: as "integer" for its sparse cross-entropy, or "one-hot" for the
    categorical one; the function is the same.
    `parameter_counts` are those of the layers that have parameters, in order, as the source or a
    hand count gives them; the constructor compares them with the layers' own.
    Raises `UsageError` for what can't be built, or does not end in 10 linear logits.
    """

    name: str
    input_shape: Shape
    layers: tuple[Layer, ...]
    optimizer: Optimizer
    batch_size: int
    epochs: int
    parameter_counts: tuple[int, ...]
    labels: str = "integer"
    published: tuple[PublishedResult, ...] = ()

    def __post_init__(self) -> None:
        require(
            isinstance(self.name, str) and NAME.fullmatch(self.name) is not None,
            "a workload's name",
            expected="lower-case words and numbers joined by hyphens",
            received=self.name,
        )
        require(
            self.input_shape in (IMAGE_SHAPE, (math.prod(IMAGE_SHAPE),)),
            f"input shape of workload {self.name!r}",
            expected="(784,) or (28, 28, 1)",
            received=self.input_shape,
        )
        require(
            is_count(self.batch_size) and self.batch_size <= TRAIN_IMAGES,
            f"batch size of workload {self.name!r}",
            expected=f"1 to {TRAIN_IMAGES} (the training images)",
            received=self.batch_size,
        )
        require(
            is_count(self.epochs),
            f"epochs of workload {self.name!r}",
            expected="an integer >= 1",
            received=self.epochs,
        )
        require(
            self.labels in LABELS,
            f"labels of workload {self.name!r}",
            expected=f"one of {', '.join(LABELS)}",
            received=self.labels,
        )
        for layer in self.layers:
            require(
                isinstance(layer, Layer),
                f"a layer of workload {self.name!r}",
                expected="one of the layer classes of bench.spec",
                received=layer,
            )
        last = self.layers[-1] if self.layers else None
        require(
            isinstance(last, Dense) and last.units == CLASSES and last.activation == "linear",
            f"the last layer of workload {self.name!r} must give the logits",
            expected=f"Dense(units={CLASSES}, activation='linear')",
            received=last,
        )
        counts = tuple(row.count for row in self.summary() if row.count)
        require(
            counts == self.parameter_counts,
            f"parameter counts of workload {self.name!r}",
            expected=self.parameter_counts,
            received=counts,
        )

    @property
    def parameter_total(self) -> int:
        return sum(self.parameter_counts)

    @property
    def steps_per_epoch(self) -> int:
        """Steps of one epoch at the workload's own batch size, the partial batch included."""
        return math.ceil(TRAIN_IMAGES / self.batch_size)

    def named_layers(self) -> Iterator[tuple[str, Layer, Shape]]:
        """Each layer with its canonical name (`dense_0`, `conv_1`) and its input's shape."""
        seen: dict[str, int] = {}
        shape = self.input_shape
        for layer in self.layers:
            index = seen.get(layer.kind, 0)
            seen[layer.kind] = index + 1
            yield f"{layer.kind}_{index}", layer, shape
            shape = layer.output_shape(shape)

    def summary(self) -> tuple[LayerSummary, ...]:
        """The layer table that follows from the definition, without any framework."""
        return tuple(
            LayerSummary(
                name=name,
                kind=layer.kind,
                output_shape=layer.output_shape(shape),
                count=sum(map(math.prod, layer.parameter_shapes(shape).values())),
            )
            for name, layer, shape in self.named_layers()
        )

    def parameter_shapes(self) -> dict[str, Shape]:
        """Canonical parameter names to shapes, in order: `dense_0/kernel`, `dense_0/bias`, ..."""
        return {
            f"{name}/{parameter}": parameter_shape
            for name, layer, shape in self.named_layers()
            for parameter, parameter_shape in layer.parameter_shapes(shape).items()
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Execution:
    """How a workload is computed. `threads` None leaves the framework's own choice in force."""

    device: str
    batch_size: int
    mode: str = "default"
    precision: str = "float32"
    threads: int | None = None
    optimizer: str = "matched"

    def __post_init__(self) -> None:
        require(
            isinstance(self.device, str) and DEVICE.fullmatch(self.device) is not None,
            "unknown device",
            expected="cpu or cuda:N",
            received=self.device,
        )
        for what, value, known in (
            ("mode", self.mode, MODES),
            ("precision", self.precision, PRECISIONS),
            ("optimizer", self.optimizer, OPTIMIZER_MATH),
        ):
            require(
                value in known, f"unknown {what}", expected=f"one of {', '.join(known)}",
                received=value,
            )  # fmt: skip
        require(
            is_count(self.batch_size) and self.batch_size <= TRAIN_IMAGES,
            "batch size",
            expected=f"1 to {TRAIN_IMAGES}",
            received=self.batch_size,
        )
        require(
            self.threads is None or is_count(self.threads),
            "threads",
            expected="None or an integer >= 1",
            received=self.threads,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """Workload x backend x execution: what one row of a report is about."""

    workload: str
    backend: str
    execution: Execution

    @property
    def label(self) -> str:
        """A name that is unique in a run and safe as a part of a file name."""
        how = self.execution
        parts = [self.workload, self.backend, how.device.replace(":", ""), how.mode, how.precision]
        if how.optimizer != "matched":
            parts.append(how.optimizer)
        if how.threads is not None:
            parts.append(f"t{how.threads}")
        return "_".join([*parts, f"b{how.batch_size}"])


@dataclass(frozen=True, slots=True, kw_only=True)
class ParityPlan:
    """What a parity trial climbs: the rungs of one precision, in a process of its own.

    `steps` is the length of the trajectory, `twin_steps` that of its tanh twin (0: without).
    """

    precision: str
    steps: int
    twin_steps: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class TimingPlan:
    """How long a timing trial looks: sizes in steps and blocks, all fixed before it starts.

    `steps_per_block` and `native_steps` come from the pilot, so that they are the same in every
    trial of a cell, and `native_steps` in every backend of a workload.
    """

    window_blocks: int
    blocks: int
    steps_per_block: int
    native_steps: int
    native_slices: int
    tutorial_steps: int
    latency_steps: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class AccuracyPlan:
    """How long an accuracy trial trains: epochs over the first `train_images` images."""

    epochs: int
    train_images: int = TRAIN_IMAGES


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """What nobody controls and yet moves times, drawn anew for each trial.

    The seed of Python's string hashes, and bytes added to the environment, which shift the stack
    (Mytkowicz et al. 2009, "Producing wrong data without doing anything obviously wrong").
    """

    hash_seed: int
    padding_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One fresh process that does one thing for one cell.

    `round` and `position` (in the round) are None in a trial that belongs to no round; `attempt`
    counts from 0, and is 1 where a disturbed trial is run once more. Of the three plans a trial
    has the one of its kind; a cell that never came so far has none.
    """

    kind: TrialKind
    cell: Cell
    seed: int
    round: int | None = None
    position: int | None = None
    attempt: int = 0
    setup: Setup | None = None
    parity: ParityPlan | None = None
    timing: TimingPlan | None = None
    accuracy: AccuracyPlan | None = None

    @property
    def name(self) -> str:
        """The record's file name without `.json`."""
        turn = "" if self.round is None else f"-r{self.round:02d}"
        precision = "" if self.parity is None else f"-{self.parity.precision}"
        attempt = f"-a{self.attempt}" if self.attempt else ""
        return f"{self.kind}-{self.cell.label}{precision}{turn}-s{self.seed}{attempt}"


def require_activation(activation: str) -> None:
    require(
        activation in ACTIVATIONS,
        "unknown activation",
        expected=f"one of {', '.join(ACTIVATIONS)}",
        received=activation,
    )


def require_image(kind: str, shape: Shape) -> tuple[int, int, int]:
    require(
        len(shape) == 3,
        f"a {kind} layer takes images",
        expected="an input of shape (height, width, channels)",
        received=shape,
    )
    height, width, channels = shape
    return height, width, channels
