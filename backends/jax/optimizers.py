"""Adam and RMSprop with Keras 3's equations, as functions of arrays.

Source of the equations: `keras/src/optimizers/adam.py` and `rmsprop.py`, Keras 3.15.
"""

import math
from typing import TypeAlias

import jax
import jax.numpy as jnp

from bench.spec import Optimizer

Arrays: TypeAlias = dict[str, jax.Array]
# one group of running averages for each decay, each with an array for every parameter
Moments: TypeAlias = tuple[Arrays, ...]


def start(settings: Optimizer, parameters: Arrays) -> Moments:
    """Zeros for each running average."""
    zeros = {name: jnp.zeros_like(value) for name, value in parameters.items()}
    return tuple(jax.tree.map(jnp.copy, zeros) for _ in settings.decay)


def update(
    settings: Optimizer, parameters: Arrays, moments: Moments, gradients: Arrays, step: jax.Array
) -> tuple[Arrays, Moments]:
    """Parameters and running averages after step number `step`, counted from 1."""
    if settings.name == "adam":
        return adam(settings, parameters, moments, gradients, step)
    return rmsprop(settings, parameters, moments, gradients)


def adam(
    settings: Optimizer, parameters: Arrays, moments: Moments, gradients: Arrays, step: jax.Array
) -> tuple[Arrays, Moments]:
    """M += (1 - b1)(g - m); v += (1 - b2)(g^2 - v); w -= a m / (sqrt(v) + epsilon).

    With a = rate sqrt(1 - b2^t) / (1 - b1^t) at step t.
    """
    beta_1, beta_2 = settings.decay
    first, second = moments
    count = step.astype(next(iter(parameters.values())).dtype)
    rate = settings.learning_rate * jnp.sqrt(shortfall(beta_2, count)) / shortfall(beta_1, count)
    first = averaged(first, gradients, beta_1)
    second = averaged(second, jax.tree.map(jnp.square, gradients), beta_2)
    changed = {
        name: value - rate * first[name] / (jnp.sqrt(second[name]) + settings.epsilon)
        for name, value in parameters.items()
    }
    return changed, (first, second)


def rmsprop(
    settings: Optimizer, parameters: Arrays, moments: Moments, gradients: Arrays
) -> tuple[Arrays, Moments]:
    """V = rho v + (1 - rho) g^2; w -= rate g / sqrt(v + epsilon)."""
    (velocity,) = moments
    velocity = averaged(velocity, jax.tree.map(jnp.square, gradients), settings.decay[0])
    changed = {
        name: value
        - settings.learning_rate * gradients[name] / jnp.sqrt(velocity[name] + settings.epsilon)
        for name, value in parameters.items()
    }
    return changed, (velocity,)


def averaged(averages: Arrays, values: Arrays, decay: float) -> Arrays:
    return {
        name: average + (1 - decay) * (values[name] - average) for name, average in averages.items()
    }


def shortfall(decay: float, count: jax.Array) -> jax.Array:
    """1 - decay^count; as written it would lose half the digits of float32."""
    return -jnp.expm1(count * math.log(decay))
