"""The workloads in NumPy float64: what every backend is compared with.

This is the definition of the workloads, written to be read. It depends on no framework: only on
NumPy and the equations named below. All values are float64. Shapes: images `(n, 784)` or
`(n, height, width, channels)`, labels `(n,)` integers or `(n, 10)` one-hot, parameters as in
`bench.adapter`. Dropout is off, as in evaluation; the rungs that train use a workload without it.

Sources: Goodfellow, Bengio, Courville, Deep Learning (2016), chapters 6.5 (back-propagation) and 9
(convolution and pooling); Bishop, Pattern Recognition and Machine Learning (2006), 4.3.4 (softmax
and cross-entropy); for the optimizers see the functions.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from bench.adapter import Array, Parameters
from bench.spec import CLASSES, Conv2D, Dense, Flatten, Layer, MaxPool2D, Optimizer, Workload

Float = NDArray[np.float64]
# from the gradient of a layer's output to the gradients of its input and its parameters
Backward = Callable[[Float], tuple[Float, dict[str, Float]]]
State = dict[str, Float]
# float64 error of a sum of some thousand terms, as a share of the largest value of its layer
ROUNDING = 1e-12
Update = Callable[[Optimizer, int, State, Float], Float]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Pass:
    """One batch forward and backward.

    `logits` `(n, 10)`, `loss` the mean over the batch, `gradients` by canonical name.
    """

    logits: Float
    loss: float
    gradients: dict[str, Float]


def activations(workload: Workload, parameters: Parameters, images: Array) -> dict[str, Float]:
    """Return the output of every layer by its name, in order; the last output is the logits."""
    values = np.asarray(images, np.float64)
    outputs = {}
    for name, layer, _ in workload.named_layers():
        values, _ = apply(layer, layer_parameters(parameters, name), values)
        outputs[name] = values
    return outputs


def margins(workload: Workload, parameters: Parameters, images: Array) -> Float:
    """Return each image's distance to the nearest kink `(n,)`, as a share of its layer's maximum.

    The distance is how close a pre-activation comes to the zero of its ReLU, or the largest value
    of a pool to the second largest. A difference of that size between two programs may send a
    gradient another way, though neither is wrong. The distance is infinite without a kink.
    """
    values = np.asarray(images, np.float64)
    nearest = np.full(len(values), np.inf)
    for name, layer, _ in workload.named_layers():
        own = layer_parameters(parameters, name)
        if isinstance(layer, Dense | Conv2D) and layer.activation == "relu":
            before, _ = apply(replace(layer, activation="linear"), own, values)
            sizes = np.abs(before)
            nearest = np.minimum(nearest, sizes.reshape(len(values), -1).min(axis=1) / sizes.max())
            values = np.maximum(before, 0)
            continue
        if isinstance(layer, MaxPool2D):
            nearest = np.minimum(nearest, contests(layer.size, values))
        values, _ = apply(layer, own, values)
    return nearest


def contests(size: int, values: Float) -> Float:
    """Return how close the second value comes to a positive maximum in each image's pools `(n,)`.

    Equal values do not count: they come from equal patches, and the gradients are the same
    whichever of them is taken. Values that differ by float64's rounding count as equal.
    """
    squares = split_squares(size, values)
    largest = squares.max(axis=-1)
    scale = np.abs(values).max()
    others = np.where(squares < largest[..., None] - ROUNDING * scale, squares, -np.inf)
    apart = np.where(largest > 0, largest - others.max(axis=-1), np.inf)
    return np.asarray(apart.reshape(len(values), -1).min(axis=1) / scale)


def run(workload: Workload, parameters: Parameters, images: Array, labels: Array) -> Pass:
    """Return logits, loss and gradients, by back-propagation through the layers in reverse."""
    values = np.asarray(images, np.float64)
    ways_back: list[tuple[str, Backward]] = []
    for name, layer, _ in workload.named_layers():
        values, back = apply(layer, layer_parameters(parameters, name), values)
        ways_back.append((name, back))
    loss, gradient = cross_entropy(values, labels)
    gradients: dict[str, Float] = {}
    for name, back in reversed(ways_back):
        gradient, own = back(gradient)
        gradients |= {f"{name}/{parameter}": value for parameter, value in own.items()}
    ordered = {name: gradients[name] for name in workload.parameter_shapes()}
    return Pass(logits=values, loss=loss, gradients=ordered)


def layer_parameters(parameters: Parameters, name: str) -> dict[str, Float]:
    """Return the layer's own parameters, `dense_0/kernel` as `kernel`."""
    return {
        key.removeprefix(f"{name}/"): np.asarray(value, np.float64)
        for key, value in parameters.items()
        if key.startswith(f"{name}/")
    }


def apply(layer: Layer, own: Mapping[str, Float], values: Float) -> tuple[Float, Backward]:
    """Return the layer's output and its backward function."""
    if isinstance(layer, Dense):
        return activate(layer.activation, *dense(own, values))
    if isinstance(layer, Conv2D):
        return activate(layer.activation, *convolution(layer, own, values))
    if isinstance(layer, MaxPool2D):
        return max_pool(layer.size, values)
    if isinstance(layer, Flatten):
        return values.reshape(len(values), -1), lambda g: (g.reshape(values.shape), {})
    return values, lambda g: (g, {})


def dense(own: Mapping[str, Float], values: Float) -> tuple[Float, Backward]:
    """Return z = x W + b; backward dx = dz W^T, dW = x^T dz, db = sum of dz over the batch."""

    def back(gradient: Float) -> tuple[Float, dict[str, Float]]:
        own_gradients = {"kernel": values.T @ gradient, "bias": gradient.sum(axis=0)}
        return gradient @ own["kernel"].T, own_gradients

    return values @ own["kernel"] + own["bias"], back


def convolution(layer: Conv2D, own: Mapping[str, Float], values: Float) -> tuple[Float, Backward]:
    """Return z[i, j] = sum over (p, q) of x[i + p, j + q] W[p, q] + b.

    Deep learning calls this cross-correlation a convolution (Goodfellow et al. 2016, equation 9.6).
    "Same" pads k - 1 zeros in all, the odd one at the bottom and at the right. It is computed as a
    matrix product, in which each output pixel is a row: its patch `(k, k, channels)` times the
    kernel.
    """
    size, kernel = layer.kernel_size, own["kernel"]
    before, after = padding(layer)
    padded = np.pad(values, ((0, 0), (before, after), (before, after), (0, 0)))
    # (n, height, width, channels, k, k) -> rows of (k, k, channels)
    windows = sliding_window_view(padded, (size, size), axis=(1, 2))
    shape = (*windows.shape[:3], layer.filters)
    patches = windows.transpose(0, 1, 2, 4, 5, 3).reshape(-1, size * size * values.shape[3])
    matrix = kernel.reshape(-1, layer.filters)

    def back(gradient: Float) -> tuple[Float, dict[str, Float]]:
        rows = gradient.reshape(-1, layer.filters)
        own_gradients = {
            "kernel": (patches.T @ rows).reshape(kernel.shape),
            "bias": rows.sum(axis=0),
        }
        spread = (rows @ matrix.T).reshape(*shape[:3], size, size, values.shape[3])
        inner = np.zeros_like(padded)
        for p in range(size):
            for q in range(size):
                inner[:, p : p + shape[1], q : q + shape[2]] += spread[:, :, :, p, q]
        height, width = values.shape[1:3]
        return inner[:, before : before + height, before : before + width], own_gradients

    return (patches @ matrix + own["bias"]).reshape(shape), back


def padding(layer: Conv2D) -> tuple[int, int]:
    """Return the zeros before and after each axis."""
    lost = layer.kernel_size - 1 if layer.padding == "same" else 0
    return lost // 2, lost - lost // 2


def max_pool(size: int, values: Float) -> tuple[Float, Backward]:
    """Return the largest value of each square; its gradient goes to the first place that holds it.

    First in the order of rows, as in TensorFlow and PyTorch. Rows and columns that do not fill a
    square are dropped.
    """
    squares = split_squares(size, values)
    winners = squares.argmax(axis=-1)[..., None]

    def back(gradient: Float) -> tuple[Float, dict[str, Float]]:
        spread = np.zeros_like(squares)
        np.put_along_axis(spread, winners, gradient[..., None], axis=-1)
        count, rows, columns, channels, _ = spread.shape
        apart = spread.reshape(count, rows, columns, channels, size, size)
        inner = np.zeros_like(values)
        inner[:, : rows * size, : columns * size] = apart.transpose(0, 1, 4, 2, 5, 3).reshape(
            count, rows * size, columns * size, channels
        )
        return inner, {}

    return np.take_along_axis(squares, winners, axis=-1)[..., 0], back


def split_squares(size: int, values: Float) -> Float:
    """Reshape `(n, height, width, channels)` to `(n, rows, columns, channels, size * size)`."""
    count, height, width, channels = values.shape
    rows, columns = height // size, width // size
    kept = values[:, : rows * size, : columns * size]
    squares = kept.reshape(count, rows, size, columns, size, channels)
    return squares.transpose(0, 1, 3, 5, 2, 4).reshape(count, rows, columns, channels, -1)


def activate(name: str, values: Float, back: Backward) -> tuple[Float, Backward]:
    """Apply the activation: ReLU' is 1 above zero and 0 at zero, tanh' = 1 - tanh^2."""
    if name == "relu":
        return np.maximum(values, 0), lambda g: back(g * (values > 0))
    if name == "tanh":
        squashed = np.tanh(values)
        return squashed, lambda g: back(g * (1 - squashed**2))
    return values, back


def softmax(values: Float) -> Float:
    """Return probabilities `(n, 10)`; shifted by each row's maximum so that exp can't overflow."""
    exponentials = np.exp(values - values.max(axis=1, keepdims=True))
    return np.asarray(exponentials / exponentials.sum(axis=1, keepdims=True))


def cross_entropy(values: Float, labels: Array) -> tuple[float, Float]:
    """Return the batch mean of -sum_c y_c log softmax(z)_c, and its gradient (softmax - y) / n.

    Bishop 2006, equations 4.108 and 4.109. log softmax(z) = z - max - log sum exp(z - max).
    """
    targets = one_hot(labels)
    shifted = values - values.max(axis=1, keepdims=True)
    logarithms = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    loss = -(targets * logarithms).sum(axis=1).mean()
    return float(loss), (softmax(values) - targets) / len(values)


def one_hot(labels: Array) -> Float:
    """Return integers `(n,)` as `(n, 10)`; labels that are one-hot already stay unchanged."""
    return np.eye(CLASSES)[labels] if labels.ndim == 1 else np.asarray(labels, np.float64)


def accuracy(values: Float, labels: Array) -> float:
    """Return the share of images whose largest logit is their label's."""
    return float((values.argmax(axis=1) == one_hot(labels).argmax(axis=1)).mean())


def keras_adam(settings: Optimizer, step: int, state: State, gradient: Float) -> Float:
    """Return Adam's update in Keras 3: Kingma and Ba 2015, section 2, end ("epsilon hat").

    m = m + (1 - b1)(g - m); v = v + (1 - b2)(g^2 - v);
    the update is rate sqrt(1 - b2^t) / (1 - b1^t) m / (sqrt(v) + epsilon), t counted from 1.
    Source: keras/src/optimizers/adam.py.
    """
    beta_1, beta_2 = settings.decay
    first = average(state, "first", gradient, beta_1)
    second = average(state, "second", gradient**2, beta_2)
    rate = settings.learning_rate * np.sqrt(1 - beta_2**step) / (1 - beta_1**step)
    return np.asarray(rate * first / (np.sqrt(second) + settings.epsilon))


def torch_adam(settings: Optimizer, step: int, state: State, gradient: Float) -> Float:
    """Return Adam's update in PyTorch: Kingma and Ba 2015, algorithm 1.

    Epsilon is added after the correction: rate m / (1 - b1^t) / (sqrt(v / (1 - b2^t)) + epsilon).
    Source: torch.optim.Adam's documentation.
    """
    beta_1, beta_2 = settings.decay
    first = average(state, "first", gradient, beta_1) / (1 - beta_1**step)
    second = average(state, "second", gradient**2, beta_2) / (1 - beta_2**step)
    return np.asarray(settings.learning_rate * first / (np.sqrt(second) + settings.epsilon))


def keras_rmsprop(settings: Optimizer, step: int, state: State, gradient: Float) -> Float:
    """Return RMSprop's update in Keras 3: rate g / sqrt(v + epsilon); v = rho v + (1 - rho) g^2.

    Hinton's lecture 6e of 2012; epsilon inside the root is Keras' own
    (keras/src/optimizers/rmsprop.py).
    """
    second = average(state, "second", gradient**2, settings.decay[0])
    return np.asarray(settings.learning_rate * gradient / np.sqrt(second + settings.epsilon))


def torch_rmsprop(settings: Optimizer, step: int, state: State, gradient: Float) -> Float:
    """Return RMSprop's update in PyTorch: as in Keras, but rate g / (sqrt(v) + epsilon).

    Source: torch.optim.RMSprop's documentation.
    """
    second = average(state, "second", gradient**2, settings.decay[0])
    return np.asarray(settings.learning_rate * gradient / (np.sqrt(second) + settings.epsilon))


def average(state: State, name: str, value: Float, decay: float) -> Float:
    """Update the running average `name`, which starts at zero, with `value` and return it."""
    before = state.get(name, np.zeros_like(value))
    state[name] = before + (1 - decay) * (value - before)
    return state[name]


UPDATES: Mapping[tuple[str, str], Update] = {
    ("matched", "adam"): keras_adam,
    ("matched", "rmsprop"): keras_rmsprop,
    ("stock", "adam"): torch_adam,
    ("stock", "rmsprop"): torch_rmsprop,
}


class Oracle:
    """A workload in training: parameters, the optimizer's averages and its step count.

    `math` is an execution's `optimizer`: "matched" for Keras' equations, "stock" for torch's.
    """

    def __init__(self, workload: Workload, parameters: Parameters, math: str = "matched") -> None:
        self.workload = workload
        self.parameters = {name: np.array(value, np.float64) for name, value in parameters.items()}
        self.steps = 0
        self._update = UPDATES[math, workload.optimizer.name]
        self._states: dict[str, State] = {name: {} for name in parameters}

    def step(self, images: Array, labels: Array) -> Pass:
        """Make one update and return the pass that gave its gradients."""
        result = run(self.workload, self.parameters, images, labels)
        self.steps += 1
        for name, gradient in result.gradients.items():
            settings, state = self.workload.optimizer, self._states[name]
            self.parameters[name] -= self._update(settings, self.steps, state, gradient)
        return result
