"""Adam and RMSprop with Keras 3's equations, as transformations of Optax."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax

from bench.spec import Optimizer


def keras_optimizer(settings: Optimizer) -> optax.GradientTransformation:
    """Optax's own RMSprop is Keras'; its Adam adds epsilon to the root of a corrected moment."""
    if settings.name == "rmsprop":
        return optax.rmsprop(settings.learning_rate, settings.decay[0], settings.epsilon)
    return keras_adam(settings)


def keras_adam(settings: Optimizer) -> optax.GradientTransformation:
    """M += (1 - b1)(g - m); v += (1 - b2)(g^2 - v); w -= a m / (sqrt(v) + epsilon).

    With a = rate sqrt(1 - b2^t) / (1 - b1^t) at step t.
    """
    beta_1, beta_2 = settings.decay

    def start(parameters: Any) -> Any:
        zeros = jax.tree.map(jnp.zeros_like, parameters)
        return jnp.zeros((), jnp.int32), zeros, zeros

    def update(gradients: Any, state: Any, parameters: Any = None) -> tuple[Any, Any]:
        step, first, second = state[0] + 1, *state[1:]
        first = jax.tree.map(lambda m, g: m + (1 - beta_1) * (g - m), first, gradients)
        second = jax.tree.map(lambda v, g: v + (1 - beta_2) * (g * g - v), second, gradients)
        # 1 - b^t, which as written would lose half the digits of float32
        short_1, short_2 = (-jnp.expm1(step * np.log(beta)) for beta in settings.decay)
        rate = settings.learning_rate * jnp.sqrt(short_2) / short_1
        return jax.tree.map(
            lambda m, v: -rate * m / (jnp.sqrt(v) + settings.epsilon), first, second
        ), (step, first, second)

    return optax.GradientTransformation(start, update)
