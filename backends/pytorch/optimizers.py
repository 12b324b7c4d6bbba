"""Adam and RMSprop with Keras 3's equations, so that a step is the same step in both frameworks.

torch's own differ: its Adam adds epsilon after the bias correction, its RMSprop outside the root.
No constant epsilon makes them equal. Both classes work on lists of tensors (`foreach`), as fast as
torch's default. As in torch's own, `capturable` keeps what changes from step to step on the device,
for a step that is compiled or captured.
Source of the equations: `keras/src/optimizers/adam.py` and `rmsprop.py`, Keras 3.15.
"""

import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import torch

from bench.spec import Optimizer


class KerasAdam(torch.optim.Optimizer):
    """m += (1 - b1)(g - m); v += (1 - b2)(g^2 - v); w -= a m / (sqrt(v) + epsilon).

    With a = rate sqrt(1 - b2^t) / (1 - b1^t) at step t, counted from 1.
    """

    def __init__(
        self,
        parameters: Iterable[torch.Tensor],
        *,
        lr: float,
        betas: tuple[float, float],
        eps: float,
        capturable: bool = False,
    ) -> None:
        super().__init__(parameters, {"lr": lr, "betas": betas, "eps": eps})
        for group in self.param_groups:
            one, *_ = group["params"]
            count = {"dtype": one.dtype, "device": one.device if capturable else "cpu"}
            group["step"] = torch.zeros((), **count)
            start_averages(self.state, group["params"], "first", "second")
        self._capturable = capturable

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> None:
        for group in self.param_groups:
            parameters, gradients = with_gradients(group)
            first, second = averages(self.state, parameters, "first", "second")
            beta_1, beta_2 = group["betas"]
            group["step"] += 1
            torch._foreach_lerp_(first, gradients, 1 - beta_1)
            torch._foreach_mul_(second, beta_2)
            torch._foreach_addcmul_(second, gradients, gradients, 1 - beta_2)
            denominators = torch._foreach_sqrt(second)
            torch._foreach_add_(denominators, group["eps"])
            if self._capturable:
                updates = torch._foreach_div(first, denominators)
                torch._foreach_mul_(updates, rate_on_device(group))
                torch._foreach_sub_(parameters, updates)
            else:
                torch._foreach_addcdiv_(parameters, first, denominators, -rate(group))


class KerasRMSprop(torch.optim.Optimizer):
    """v = rho v + (1 - rho) g^2; w -= rate g / sqrt(v + epsilon)."""

    def __init__(
        self, parameters: Iterable[torch.Tensor], *, lr: float, rho: float, eps: float
    ) -> None:
        super().__init__(parameters, {"lr": lr, "rho": rho, "eps": eps})
        for group in self.param_groups:
            start_averages(self.state, group["params"], "velocity")

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> None:
        for group in self.param_groups:
            parameters, gradients = with_gradients(group)
            (velocity,) = averages(self.state, parameters, "velocity")
            torch._foreach_mul_(velocity, group["rho"])
            torch._foreach_addcmul_(velocity, gradients, gradients, 1 - group["rho"])
            denominators = torch._foreach_add(velocity, group["eps"])
            torch._foreach_sqrt_(denominators)
            torch._foreach_addcdiv_(parameters, gradients, denominators, -group["lr"])


def matched(
    optimizer: Optimizer, parameters: Iterable[torch.Tensor], *, capturable: bool
) -> torch.optim.Optimizer:
    """The torch optimizer that computes what `optimizer` says."""
    lr, epsilon = optimizer.learning_rate, optimizer.epsilon
    if optimizer.name == "adam":
        beta_1, beta_2 = optimizer.decay
        betas = beta_1, beta_2
        return KerasAdam(parameters, lr=lr, betas=betas, eps=epsilon, capturable=capturable)
    # nothing of this one changes from step to step but its averages
    return KerasRMSprop(parameters, lr=lr, rho=optimizer.decay[0], eps=epsilon)


def stock(
    optimizer: Optimizer, parameters: Iterable[torch.Tensor], *, capturable: bool
) -> torch.optim.Optimizer:
    """Torch's own, fused where it is, with the same figures in its own equations."""
    owned = list(parameters)
    # on a CPU nothing is captured, and torch refuses to prepare for it
    capturable = capturable and owned[0].is_cuda
    lr, epsilon = optimizer.learning_rate, optimizer.epsilon
    if optimizer.name == "adam":
        beta_1, beta_2 = optimizer.decay
        betas = beta_1, beta_2
        return torch.optim.Adam(
            owned, lr=lr, betas=betas, eps=epsilon, fused=True, capturable=capturable
        )
    return torch.optim.RMSprop(
        owned, lr=lr, alpha=optimizer.decay[0], eps=epsilon, capturable=capturable
    )


MATH = {"matched": matched, "stock": stock}


def forget(optimizer: torch.optim.Optimizer) -> None:
    """Make it as before its first step, its tensors where they are: captured steps know them so."""
    for values in optimizer.state.values():
        for value in values.values():
            value.zero_()
    for group in optimizer.param_groups:
        if "step" in group:
            group["step"].zero_()


def rate(group: dict[str, Any]) -> float:
    """The learning rate with both corrections of the bias in it."""
    (beta_1, beta_2), step = group["betas"], group["step"].item()
    return float(group["lr"] * (1 - beta_2**step) ** 0.5 / (1 - beta_1**step))


def rate_on_device(group: dict[str, Any]) -> torch.Tensor:
    """The same, computed where the step is counted."""
    # 1 - beta^t as it is written would lose half the digits of float32
    first, second = (-torch.expm1(group["step"] * math.log(beta)) for beta in group["betas"])
    return group["lr"] * torch.sqrt(second) / first


def with_gradients(group: dict[str, Any]) -> tuple[list[torch.Tensor], list[torch.Tensor]]:
    """The group's parameters that have a gradient, and those gradients."""
    parameters = [parameter for parameter in group["params"] if parameter.grad is not None]
    return parameters, [parameter.grad for parameter in parameters]


def start_averages(
    state: dict[torch.Tensor, dict[str, torch.Tensor]], parameters: list[torch.Tensor], *names: str
) -> None:
    """Zeros for every parameter; made here, since a captured step must not make them."""
    for parameter in parameters:
        state[parameter] = {name: torch.zeros_like(parameter) for name in names}


def averages(
    state: Mapping[torch.Tensor, Mapping[str, torch.Tensor]],
    parameters: list[torch.Tensor],
    *names: str,
) -> tuple[list[torch.Tensor], ...]:
    """One list of running averages a name."""
    return tuple([state[parameter][name] for parameter in parameters] for name in names)
