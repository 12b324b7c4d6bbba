"""Keras in this process: device, threads and precision. Engines set what depends on them."""

from typing import Any

import keras

from backends.keras.engines import Engine
from bench.adapter import Array
from bench.spec import Execution

# dtype of parameters and optimizer (`floatx`) per precision; `bfloat16` is mixed
DTYPES = {"float32": "float32", "tf32": "float32", "bfloat16": "float32", "float64": "float64"}


def select(engine: Engine, execution: Execution) -> None:
    """Set the execution's device, threads and precision for this process."""
    engine.select(execution)
    floatx = DTYPES[execution.precision]
    keras.config.set_floatx(floatx)
    mixed = execution.precision == "bfloat16"
    keras.config.set_dtype_policy("mixed_bfloat16" if mixed else floatx)


def put_factor(engine: Engine, matrix: Array, execution: Execution) -> Any:
    """Return the matrix on the engine's device, in the dtype of the product."""
    placed = engine.put(matrix.astype(keras.config.floatx()))
    return keras.ops.cast(placed, "bfloat16") if execution.precision == "bfloat16" else placed
