"""What is computed: a workload, its optimizer, and the results that its sources published."""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

from bench.spec.checks import is_count, is_real, require
from bench.spec.layers import Dense, Layer, Shape

Labels: TypeAlias = Literal["integer", "one-hot"]

LABELS: tuple[Labels, ...] = get_args(Labels)

TRAIN_IMAGES = 60_000
TEST_IMAGES = 10_000
IMAGE_SHAPE = (28, 28, 1)
CLASSES = 10

NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Optimizer:
    """An optimizer with Keras 3's equations and defaults.

    `decay` is beta_1 and beta_2 for Adam (Kingma and Ba 2015, with epsilon added to the root of the
    uncorrected second moment), and rho for RMSprop (epsilon inside the root). Raises `UsageError`
    for an unknown name or a number out of range.
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
    """What one source printed for a workload; None if it printed nothing.

    `step_milliseconds` is the range that its progress bar showed, `sample_microseconds` the same
    per sample. No source names its hardware, so these are footnotes, never rows beside measured
    ones. `other_optimizer`: how the source's optimizer differs from the workload's. `wrong_indices`
    are all test images that it got wrong, `sampled_wrong_indices` some of them, and
    `first_predictions` its classes of the first test images.
    """

    source: str
    title: str
    author: str | None
    where: str
    date: str | None
    framework: str
    other_optimizer: str | None = None
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
    sampled_wrong_indices: tuple[int, ...] = ()
    first_predictions: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerSummary:
    """One row of a layer table. `output_shape` has no batch axis and is channels-last."""

    name: str
    kind: str
    output_shape: Shape
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """What is computed: layers, loss (softmax cross-entropy on logits), optimizer, batch, epochs.

    `input_shape` is the shape of one image, without the batch axis: `(784,)` or `(28, 28, 1)`.
    `labels` is the form in which a framework receives them: "integer" for its sparse cross-entropy,
    or "one-hot" for the categorical one; the function is the same. `parameter_counts` are those of
    the layers that have parameters, in order, from the source or counted by hand; the constructor
    compares them with the layers' own. Raises `UsageError` for a workload that can't be built or
    does not end in 10 linear logits.
    """

    name: str
    input_shape: Shape
    layers: tuple[Layer, ...]
    optimizer: Optimizer
    batch_size: int
    epochs: int
    parameter_counts: tuple[int, ...]
    labels: Labels = "integer"
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
        """Return the steps of an epoch at the workload's batch size, the partial batch included."""
        return math.ceil(TRAIN_IMAGES / self.batch_size)

    def named_layers(self) -> Iterator[tuple[str, Layer, Shape]]:
        """Yield each layer with its canonical name (`dense_0`, `conv_1`) and its input's shape."""
        seen: dict[str, int] = {}
        shape = self.input_shape
        for layer in self.layers:
            index = seen.get(layer.kind, 0)
            seen[layer.kind] = index + 1
            yield f"{layer.kind}_{index}", layer, shape
            shape = layer.output_shape(shape)

    def summary(self) -> tuple[LayerSummary, ...]:
        """Return the layer table that follows from the definition, without any framework."""
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
        """Return the parameters' shapes by canonical name (`dense_0/kernel`), in order."""
        return {
            f"{name}/{parameter}": parameter_shape
            for name, layer, shape in self.named_layers()
            for parameter, parameter_shape in layer.parameter_shapes(shape).items()
        }
