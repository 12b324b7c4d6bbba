"""Adam and RMSprop with Keras 3's equations, as functions of arrays.

Source of the equations: `keras/src/optimizers/adam.py` and `rmsprop.py`, Keras 3.15.
"""

import math
from typing import TypeAlias

import jax
import jax.numpy as jnp

from bench.spec import Optimizer

Arrays: TypeAlias = dict[str, jax.Array]
# one group of running averages per decay, with one array per parameter in each
Moments: TypeAlias = tuple[Arrays, ...]


def start(settings: Optimizer, parameters: Arrays) -> Moments:
    """Return the running averages before the first step: zeros."""
    zeros = {name: jnp.zeros_like(value) for name, value in parameters.items()}
    return tuple(jax.tree.map(jnp.copy, zeros) for _ in settings.decay)


def update(
    settings: Optimizer, parameters: Arrays, moments: Moments, gradients: Arrays, step: jax.Array
) -> tuple[Arrays, Moments]:
    """Compute parameters and running averages after step number `step`, counted from 1."""
    if settings.name == "adam":
        return adam(settings, parameters, moments, gradients, step)
    return rmsprop(settings, parameters, moments, gradients)


def adam(
    settings: Optimizer, parameters: Arrays, moments: Moments, gradients: Arrays, step: jax.Array
) -> tuple[Arrays, Moments]:
    """Compute Adam's update with a = rate sqrt(1 - b2^t) / (1 - b1^t) at step t.

    m += (1 - b1)(g - m); v += (1 - b2)(g^2 - v); w -= a m / (sqrt(v) + epsilon)
    """
    beta_1, beta_2 = settings.decay
    first, second = moments
    count = step.astype(next(iter(parameters.values())).dtype)
    bias_1, bias_2 = bias_correction(beta_1, count), bias_correction(beta_2, count)
    rate = settings.learning_rate * jnp.sqrt(bias_2) / bias_1
    first = moving_averages(first, gradients, beta_1)
    second = moving_averages(second, jax.tree.map(jnp.square, gradients), beta_2)
    updated = {
        name: value - rate * first[name] / (jnp.sqrt(second[name]) + settings.epsilon)
        for name, value in parameters.items()
    }
    return updated, (first, second)


def rmsprop(
    settings: Optimizer, parameters: Arrays, moments: Moments, gradients: Arrays
) -> tuple[Arrays, Moments]:
    """Compute RMSprop's update: v = rho v + (1 - rho) g^2; w -= rate g / sqrt(v + epsilon)."""
    (velocity,) = moments
    velocity = moving_averages(velocity, jax.tree.map(jnp.square, gradients), settings.decay[0])
    updated = {
        name: value
        - settings.learning_rate * gradients[name] / jnp.sqrt(velocity[name] + settings.epsilon)
        for name, value in parameters.items()
    }
    return updated, (velocity,)


def moving_averages(averages: Arrays, values: Arrays, decay: float) -> Arrays:
    """Return the exponential moving averages after these values."""
    return {
        name: average + (1 - decay) * (values[name] - average) for name, average in averages.items()
    }


def bias_correction(decay: float, count: jax.Array) -> jax.Array:
    """Compute 1 - decay^count by `expm1`: the subtraction would lose half of float32's digits."""
    return -jnp.expm1(count * math.log(decay))
