"""Adam and RMSprop with Keras 3's equations, so that a step is the same step in both frameworks.

torch's own differ: its Adam adds epsilon after the bias correction, its RMSprop outside the root.
No constant epsilon makes them equal. Both classes work on lists of tensors (`foreach`), as fast as
torch's default.
Source of the equations: `keras/src/optimizers/adam.py` and `rmsprop.py`, Keras 3.15.
"""

from collections.abc import Callable, Iterable
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
    ) -> None:
        super().__init__(parameters, {"lr": lr, "betas": betas, "eps": eps})

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> None:
        for group in self.param_groups:
            parameters, gradients = with_gradients(group)
            first, second = moments(self.state, parameters, ("first", "second"))
            beta_1, beta_2 = group["betas"]
            step = group["step"] = group.get("step", 0) + 1
            rate = group["lr"] * (1 - beta_2**step) ** 0.5 / (1 - beta_1**step)
            torch._foreach_lerp_(first, gradients, 1 - beta_1)
            torch._foreach_mul_(second, beta_2)
            torch._foreach_addcmul_(second, gradients, gradients, 1 - beta_2)
            denominators = torch._foreach_sqrt(second)
            torch._foreach_add_(denominators, group["eps"])
            torch._foreach_addcdiv_(parameters, first, denominators, -rate)


class KerasRMSprop(torch.optim.Optimizer):
    """v = rho v + (1 - rho) g^2; w -= rate g / sqrt(v + epsilon)."""

    def __init__(
        self, parameters: Iterable[torch.Tensor], *, lr: float, rho: float, eps: float
    ) -> None:
        super().__init__(parameters, {"lr": lr, "rho": rho, "eps": eps})

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> None:
        for group in self.param_groups:
            parameters, gradients = with_gradients(group)
            (velocity,) = moments(self.state, parameters, ("velocity",))
            torch._foreach_mul_(velocity, group["rho"])
            torch._foreach_addcmul_(velocity, gradients, gradients, 1 - group["rho"])
            denominators = torch._foreach_add(velocity, group["eps"])
            torch._foreach_sqrt_(denominators)
            torch._foreach_addcdiv_(parameters, gradients, denominators, -group["lr"])


def matched(optimizer: Optimizer, parameters: Iterable[torch.Tensor]) -> torch.optim.Optimizer:
    """The torch optimizer that computes what `optimizer` says."""
    rate, epsilon = optimizer.learning_rate, optimizer.epsilon
    if optimizer.name == "adam":
        beta_1, beta_2 = optimizer.decay
        return KerasAdam(parameters, lr=rate, betas=(beta_1, beta_2), eps=epsilon)
    return KerasRMSprop(parameters, lr=rate, rho=optimizer.decay[0], eps=epsilon)


def with_gradients(group: dict[str, Any]) -> tuple[list[torch.Tensor], list[torch.Tensor]]:
    """The group's parameters that have a gradient, and those gradients."""
    parameters = [parameter for parameter in group["params"] if parameter.grad is not None]
    return parameters, [parameter.grad for parameter in parameters]


def moments(
    state: dict[torch.Tensor, dict[str, torch.Tensor]],
    parameters: list[torch.Tensor],
    names: tuple[str, ...],
) -> tuple[list[torch.Tensor], ...]:
    """One list of running averages a name, made of zeros where they don't exist yet."""
    for parameter in parameters:
        if not state[parameter]:
            state[parameter] = {name: torch.zeros_like(parameter) for name in names}
    return tuple([state[parameter][name] for parameter in parameters] for name in names)
