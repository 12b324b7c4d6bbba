"""Keras on TensorFlow: a traced graph, compiled by XLA if Keras chooses it."""

from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf

from backends.keras.engines import Engine
from bench.spec import Execution


class ManySteps:
    """A traced function of images and labels, called with a batch as a step is."""

    def __init__(self, program: Any) -> None:
        self.program = program

    def __call__(self, batch: Any) -> None:
        self.program(*batch)


class TensorFlowEngine(Engine):
    """Keras on TensorFlow."""

    float64_remedies = "Adam's betas as NumPy float64: Keras casts Python floats through float32"
    rounds_floats = True
    steps_per_execution = 32

    def __init__(self) -> None:
        self._device = "cpu"

    def versions(self) -> dict[str, str]:
        build = tf.sysconfig.get_build_info()
        keys = {"cuda": "cuda_version", "cudnn": "cudnn_version"}
        libraries = {name: str(build[key]) for name, key in keys.items() if build.get(key)}
        return {"tensorflow": tf.__version__, **libraries}

    def devices(self) -> tuple[str, ...]:
        gpus = tf.config.list_physical_devices("GPU")
        return ("cpu", *(f"cuda:{index}" for index in range(len(gpus))))

    def architectures(self) -> tuple[str, ...] | None:
        names = tf.sysconfig.get_build_info().get("cuda_compute_capabilities") or ()
        # in TensorFlow's configure compute_90 means both machine code and PTX
        binaries = [name.replace("compute_", "sm_") for name in names]
        return tuple(dict.fromkeys([*binaries, *names])) or None

    def select(self, execution: Execution) -> None:
        device, threads = execution.device, execution.threads
        config = tf.config
        gpus = config.list_physical_devices("GPU")
        _, _, index = device.partition(":")
        config.set_visible_devices([gpus[int(index)]] if index else [], "GPU")
        config.experimental.enable_tensor_float_32_execution(execution.precision == "tf32")
        if threads is not None:
            config.threading.set_intra_op_parallelism_threads(threads)
        self._device = device

    def enable_float64(self) -> None:
        """Do nothing: `models.optimizer` makes Adam's betas exact."""

    def put(self, value: Any) -> Any:
        return tf.identity(value)

    def step(self, model: keras.Sequential) -> Callable[[Any], Any]:
        # as keras.src.backend.tensorflow.trainer compiles the step that `fit` calls
        step: Callable[[Any], Any] = tf.function(
            model.train_step, jit_compile=model.jit_compile, reduce_retracing=True
        )
        return step

    def steps(self, model: keras.Sequential, batch_size: int) -> Callable[[Any], Any]:
        def train_many(images: Any, labels: Any) -> None:
            count = max(1, images.shape[0] // batch_size)
            images, labels = (
                tf.reshape(tensor, (count, -1, *tensor.shape[1:])) for tensor in (images, labels)
            )

            def train_next(index: Any) -> tuple[Any]:
                model.train_step((images[index], labels[index]))
                return (index + 1,)

            tf.while_loop(lambda index: index < count, train_next, [tf.constant(0)])

        return ManySteps(tf.function(train_many, jit_compile=True, autograph=False))

    def settle(self, step: Callable[[Any], Any]) -> None:
        """Do nothing: the step updates the model's variables."""

    def gradients(self, model: keras.Sequential, images: Any, labels: Any) -> tuple[Any, list[Any]]:
        with tf.GradientTape() as tape:
            logits = model(images, training=True)
            loss = model.compute_loss(x=images, y=labels, y_pred=logits)
        return loss, tape.gradient(loss, [v.value for v in model.trainable_variables])

    def synchronize(self) -> None:
        tf.test.experimental.sync_devices()

    def compilations(self, step: Callable[[Any], Any]) -> int:
        program: Any = step.program if isinstance(step, ManySteps) else step
        return int(program.experimental_get_tracing_count())

    def peak_device_bytes(self) -> int | None:
        if self._device == "cpu":
            return None
        return int(tf.config.experimental.get_memory_info("GPU:0")["peak"])

    def settings(self, model: keras.Sequential) -> dict[str, str | int | float | bool | None]:
        config = tf.config
        # only the selected GPU is visible, and TensorFlow counts it as number 0
        on_gpu = "GPU" in model.trainable_variables[0].value.device
        return {
            "device": self._device if on_gpu == (self._device != "cpu") else "cpu",
            "compiled": "xla" if model.jit_compile else "graph",
            "tf32_matmul": config.experimental.tensor_float_32_execution_enabled(),
            "tf32_convolution": config.experimental.tensor_float_32_execution_enabled(),
            "threads_intra": config.threading.get_intra_op_parallelism_threads() or "all cores",
            "threads_inter": config.threading.get_inter_op_parallelism_threads() or "all cores",
        }

    def product(self, left: Any, right: Any) -> Callable[[], object]:
        return lambda: tf.linalg.matmul(left, right)

    def accumulate(self, ones: Any) -> Callable[[], object]:
        total = tf.Variable(tf.zeros_like(ones))

        def add() -> object:
            # to read the value, which is not used, would cost more than the launch
            total.assign_add(ones, read_value=False)
            return total

        return add


def open_engine() -> Engine:
    return TensorFlowEngine()
