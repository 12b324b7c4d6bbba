"""Plant bugs in the PyTorch adapter."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import torch
from pytest import MonkeyPatch  # noqa: PT013 - this name is in the signature of every plant
from torch import nn
from torch.nn import functional

from backends.pytorch import adapter, data, models
from backends.pytorch.optimizers import KerasAdam, KerasRMSprop
from bench.workloads import CNN, MLP_256_256_128_64, MLP_512, MLP_512_256
from tests.conformance.planted import Plant

Patch = Callable[[MonkeyPatch], None]


def optimizer(made: Callable[[Any], torch.optim.Optimizer]) -> Patch:
    """Replace the matched optimizer by another under the same name."""

    def plant(patch: MonkeyPatch) -> None:
        patch.setitem(
            adapter.MATH, "matched", lambda settings, parameters, capturable: made(parameters)
        )

    return plant


def loss(computed: Callable[[torch.Tensor, torch.Tensor], torch.Tensor]) -> Patch:
    """Replace cross-entropy by another loss under the same name."""

    def plant(patch: MonkeyPatch) -> None:
        names = SimpleNamespace(cross_entropy=computed, one_hot=functional.one_hot)
        patch.setattr(adapter, "functional", names)

    return plant


def method(owner: type, name: str, changed: Callable[..., Any]) -> Patch:
    return lambda patch: patch.setattr(owner, name, changed)


def ignore_bias(layer: nn.Linear, values: torch.Tensor) -> torch.Tensor:
    return functional.linear(values, layer.weight)


def transpose_square(layer: nn.Linear, values: torch.Tensor) -> torch.Tensor:
    square = layer.in_features == layer.out_features
    return functional.linear(values, layer.weight.T if square else layer.weight, layer.bias)


def leave_out_bias(patch: MonkeyPatch) -> None:
    right = models.module

    def module(layer: Any, shape: Any) -> nn.Module:
        built = right(layer, shape)
        if isinstance(built, nn.Linear):
            built.bias = None
        return built

    patch.setattr(models, "module", module)


def reshape_instead_of_transpose(patch: MonkeyPatch) -> None:
    right = models.from_canonical

    def wrong(values: Any, image: Any) -> torch.Tensor:
        return right(values.reshape(values.shape[::-1]).T if values.ndim == 2 else values, image)

    patch.setattr(models, "from_canonical", wrong)


def pad_top_left(layer: nn.Conv2d, values: torch.Tensor) -> torch.Tensor:
    before, after = layer.kernel_size[0] // 2, (layer.kernel_size[0] - 1) // 2
    padded = functional.pad(values, (before, after, before, after))
    return functional.conv2d(padded, layer.weight, layer.bias)


def dropout(computed: Callable[[nn.Dropout, torch.Tensor], torch.Tensor]) -> Patch:
    return method(nn.Dropout, "forward", computed)


def drop_always(layer: nn.Dropout, values: torch.Tensor) -> torch.Tensor:
    return functional.dropout(values, layer.p, training=True)


def swap_rate(layer: nn.Dropout, values: torch.Tensor) -> torch.Tensor:
    return functional.dropout(values, 1 - layer.p, layer.training)


def leave_unscaled(layer: nn.Dropout, values: torch.Tensor) -> torch.Tensor:
    kept = functional.dropout(torch.ones_like(values), layer.p, layer.training) > 0
    return values * kept


def freeze_mask(layer: nn.Dropout, values: torch.Tensor) -> torch.Tensor:
    torch.manual_seed(7)
    return functional.dropout(values, layer.p, layer.training)


def accumulate_gradients(patch: MonkeyPatch) -> None:
    """Do not set gradients to zero between steps."""
    for kind in (KerasAdam, KerasRMSprop):
        patch.setattr(kind, "zero_grad", lambda self: None)


def halve_learning_rate(patch: MonkeyPatch) -> None:
    """Halve the learning rate after eight steps, which a first step does not show."""
    step = KerasRMSprop.step

    def count_and_step(self: KerasRMSprop) -> None:
        for group in self.param_groups:
            # in the state, which `load` sets to zero
            steps = self.state[group["params"][0]].setdefault("steps", torch.zeros(()))
            steps += 1
            group["lr"] = 0.001 if steps <= 8 else 0.0005
        step(self)

    patch.setattr(KerasRMSprop, "step", count_and_step)


def multiply_pixels(patch: MonkeyPatch) -> None:
    tensor = data.image_tensor
    patch.setattr(data, "image_tensor", lambda images, dtype: 255 * tensor(images, dtype))


def drop_partial_batch(patch: MonkeyPatch) -> None:
    batches = data.batches

    def whole(*tensors: torch.Tensor, batch_size: int) -> Any:
        return [
            batch
            for batch in batches(*tensors, batch_size=batch_size)
            if len(batch[0]) == batch_size
        ]

    patch.setattr(data, "batches", whole)


def compute_in_float32(layer: nn.Linear, values: torch.Tensor) -> torch.Tensor:
    tensors = (values, layer.weight, layer.bias)
    return functional.linear(*(tensor.float() for tensor in tensors)).to(values.dtype)


def sum_losses(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    return functional.cross_entropy(logits, labels, reduction="sum")


PLANTS = [
    Plant(
        name="stock torch Adam passed off as matched",
        workload=MLP_512_256, rung="update", where="dense_2/bias, full batch",
        plant=optimizer(lambda parameters: torch.optim.Adam(parameters, lr=1e-3, eps=1e-7)),
    ),
    Plant(
        name="RMSprop with rho 0.99",
        workload=MLP_512, rung="update", where="dense_1/bias, full batch",
        plant=optimizer(lambda parameters: KerasRMSprop(parameters, lr=1e-3, rho=0.99, eps=1e-7)),
    ),
    Plant(
        name="epsilon outside the root",
        workload=MLP_512, rung="update", where="dense_1/bias, full batch",
        plant=optimizer(
            lambda parameters: torch.optim.RMSprop(parameters, lr=1e-3, alpha=0.9, eps=1e-7)
        ),
    ),
    Plant(
        name="no bias",
        workload=MLP_512, rung="parameters", where="dense_0",
        plant=leave_out_bias,
    ),
    Plant(
        name="a bias that is there and not used",
        workload=MLP_512, rung="forward", where="logits, full batch",
        plant=method(nn.Linear, "forward", ignore_bias),
    ),
    Plant(
        name="flatten in the order C, H, W",
        workload=CNN, rung="forward", where="logits",
        plant=lambda patch: patch.setattr(models, "flattened_shapes", lambda workload: {}),
    ),
    Plant(
        name="padding at the top and at the left",
        workload=CNN, rung="forward", where="logits",
        plant=method(nn.Conv2d, "forward", pad_top_left),
    ),
    Plant(
        name="kernel reshaped instead of transposed",
        workload=MLP_512, rung="initial", where="dense_0/kernel",
        plant=reshape_instead_of_transpose,
    ),
    Plant(
        name="square kernel transposed",
        workload=MLP_256_256_128_64, rung="forward", where="logits",
        plant=method(nn.Linear, "forward", transpose_square),
    ),
    Plant(
        name="dropout on in evaluation",
        workload=CNN, rung="forward", where="logits", plant=dropout(drop_always),
    ),
    Plant(
        name="dropout off in training",
        workload=CNN, rung="dropout share", where="share of zeros",
        plant=dropout(lambda layer, values: values),
    ),
    Plant(
        name="dropout at rate 0.75",
        workload=CNN, rung="dropout share", where="share of zeros",
        plant=dropout(swap_rate),
    ),
    Plant(
        name="survivors of dropout not scaled",
        workload=CNN, rung="dropout scale", where="scale of survivors",
        plant=dropout(leave_unscaled),
    ),
    Plant(
        name="a frozen dropout mask",
        workload=CNN, rung="dropout masks", where="successive steps", plant=dropout(freeze_mask),
    ),
    Plant(
        name="loss summed",
        workload=MLP_512, rung="gradient", where="loss, full batch", plant=loss(sum_losses),
    ),
    Plant(
        name="loss divided by the nominal batch",
        workload=MLP_512, rung="gradient", where="loss, partial batch",
        plant=loss(lambda logits, labels: sum_losses(logits, labels) / MLP_512.batch_size),
    ),
    Plant(
        name="softmax twice",
        workload=MLP_512, rung="gradient", where="loss, full batch",
        plant=loss(lambda logits, labels: functional.cross_entropy(logits.softmax(1), labels)),
    ),
    Plant(
        name="labels off by one",
        workload=MLP_512, rung="gradient", where="loss, full batch",
        plant=loss(lambda logits, labels: functional.cross_entropy(logits, (labels + 1) % 10)),
    ),
    Plant(
        name="pixels not divided by 255",
        workload=MLP_512, rung="forward", where="logits, full batch", plant=multiply_pixels,
    ),
    Plant(
        name="partial batch dropped",
        workload=MLP_512, rung="fit", where="both batches", plant=drop_partial_batch,
    ),
    Plant(
        name="gradients not zeroed between steps",
        workload=MLP_512, rung="gradient", where="partial batch", plant=accumulate_gradients,
    ),
    Plant(
        name="learning rate halved after eight steps",
        workload=MLP_512, rung="tanh trajectory", where="first at step 9: update of dense_1/bias",
        plant=halve_learning_rate,
    ),
    Plant(
        name="float64 computed in float32",
        workload=MLP_512, rung="forward", where="as far off as float32 is",
        plant=method(nn.Linear, "forward", compute_in_float32), precision="float64",
    ),
]  # fmt: skip
