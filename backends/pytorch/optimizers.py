"""Adam and RMSprop with Keras 3's equations, so that a step is the same step in both frameworks.

torch's equations differ: its Adam adds epsilon after the bias correction, its RMSprop outside the
root. No constant epsilon makes them equal. Both classes work on lists of tensors (`foreach`), and
are as fast as torch's default. As in torch's optimizers, `capturable` keeps the step count on the
device, for a step that is compiled or captured.
Source of the equations: `keras/src/optimizers/adam.py` and `rmsprop.py`, Keras 3.15.
"""

import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import torch

from bench.spec import Optimizer


class KerasAdam(torch.optim.Optimizer):
    """Keras' Adam with a = rate sqrt(1 - b2^t) / (1 - b1^t) at step t, counted from 1.

    m += (1 - b1)(g - m); v += (1 - b2)(g^2 - v); w -= a m / (sqrt(v) + epsilon)
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
            first, *_ = group["params"]
            device = first.device if capturable else "cpu"
            group["step"] = torch.zeros((), dtype=first.dtype, device=device)
            start_averages(self.state, group["params"], "first", "second")
        self._capturable = capturable

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> None:
        for group in self.param_groups:
            parameters, gradients = parameters_and_gradients(group)
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
    """Keras' RMSprop: v = rho v + (1 - rho) g^2; w -= rate g / sqrt(v + epsilon)."""

    def __init__(
        self, parameters: Iterable[torch.Tensor], *, lr: float, rho: float, eps: float
    ) -> None:
        super().__init__(parameters, {"lr": lr, "rho": rho, "eps": eps})
        for group in self.param_groups:
            start_averages(self.state, group["params"], "velocity")

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> None:
        for group in self.param_groups:
            parameters, gradients = parameters_and_gradients(group)
            (velocity,) = averages(self.state, parameters, "velocity")
            torch._foreach_mul_(velocity, group["rho"])
            torch._foreach_addcmul_(velocity, gradients, gradients, 1 - group["rho"])
            denominators = torch._foreach_add(velocity, group["eps"])
            torch._foreach_sqrt_(denominators)
            torch._foreach_addcdiv_(parameters, gradients, denominators, -group["lr"])


def matched_optimizer(
    optimizer: Optimizer, parameters: Iterable[torch.Tensor], *, capturable: bool
) -> torch.optim.Optimizer:
    """Return an optimizer with Keras' equations and these settings."""
    lr, epsilon = optimizer.learning_rate, optimizer.epsilon
    if optimizer.name == "adam":
        beta_1, beta_2 = optimizer.decay
        betas = beta_1, beta_2
        return KerasAdam(parameters, lr=lr, betas=betas, eps=epsilon, capturable=capturable)
    # only its averages change from step to step, and they are always on the device
    return KerasRMSprop(parameters, lr=lr, rho=optimizer.decay[0], eps=epsilon)


def stock_optimizer(
    optimizer: Optimizer, parameters: Iterable[torch.Tensor], *, capturable: bool
) -> torch.optim.Optimizer:
    """Return torch's own optimizer with these settings, its fused variant if it has one."""
    tensors = list(parameters)
    # there is no capture on a CPU, and torch refuses `capturable` there
    capturable = capturable and tensors[0].is_cuda
    lr, epsilon = optimizer.learning_rate, optimizer.epsilon
    if optimizer.name == "adam":
        beta_1, beta_2 = optimizer.decay
        betas = beta_1, beta_2
        return torch.optim.Adam(
            tensors, lr=lr, betas=betas, eps=epsilon, fused=True, capturable=capturable
        )
    return torch.optim.RMSprop(
        tensors, lr=lr, alpha=optimizer.decay[0], eps=epsilon, capturable=capturable
    )


MATH = {"matched": matched_optimizer, "stock": stock_optimizer}


def reset(optimizer: torch.optim.Optimizer) -> None:
    """Set the state to that before the first step, in place: captured steps hold the addresses."""
    for values in optimizer.state.values():
        for value in values.values():
            value.zero_()
    for group in optimizer.param_groups:
        if "step" in group:
            group["step"].zero_()


def rate(group: dict[str, Any]) -> float:
    """Return the learning rate with both bias corrections."""
    (beta_1, beta_2), step = group["betas"], group["step"].item()
    return float(group["lr"] * (1 - beta_2**step) ** 0.5 / (1 - beta_1**step))


def rate_on_device(group: dict[str, Any]) -> torch.Tensor:
    """Return the same as a tensor on the device of the step count."""
    # by `expm1`, because 1 - beta^t would lose half the digits of float32
    first, second = (-torch.expm1(group["step"] * math.log(beta)) for beta in group["betas"])
    return group["lr"] * torch.sqrt(second) / first


def parameters_and_gradients(
    group: dict[str, Any],
) -> tuple[list[torch.Tensor], list[torch.Tensor]]:
    """Return the group's parameters that have a gradient, and their gradients."""
    parameters = [parameter for parameter in group["params"] if parameter.grad is not None]
    return parameters, [parameter.grad for parameter in parameters]


def start_averages(
    state: dict[torch.Tensor, dict[str, torch.Tensor]], parameters: list[torch.Tensor], *names: str
) -> None:
    """Set the averages of these names to zeros, per parameter.

    They are created before the first step because a captured step must not create them.
    """
    for parameter in parameters:
        state[parameter] = {name: torch.zeros_like(parameter) for name in names}


def averages(
    state: Mapping[torch.Tensor, Mapping[str, torch.Tensor]],
    parameters: list[torch.Tensor],
    *names: str,
) -> tuple[list[torch.Tensor], ...]:
    """Return one list of running averages per name."""
    return tuple([state[parameter][name] for parameter in parameters] for name in names)
