"""What differs between Keras' engines: devices, the compiled step, gradients, synchronization.

Each engine's module is imported when its class is made, so that a process holds one of them.
"""

import importlib
from collections.abc import Callable
from typing import Any, Protocol

import keras


class Engine(Protocol):
    # what a float64 program needs so as not to compute some of it in float32
    float64_remedies: str

    def versions(self) -> dict[str, str]:
        """Package name to version, Keras itself left out."""

    def devices(self) -> tuple[str, ...]:
        """`cpu`, `cuda:0`, ..."""

    def select(self, device: str, threads: int | None) -> None:
        """Make `device` and `threads` those of this process; before anything else is made."""

    def widen(self) -> None:
        """Make this process compute in float64 where it says so, for good."""

    def put(self, value: Any) -> Any:
        """The array on the selected device."""

    def step(self, model: keras.Sequential) -> Callable[[Any], Any]:
        """The train step that `fit` runs, without its loop and without a sync."""

    def gradients(self, model: keras.Sequential, images: Any, labels: Any) -> tuple[Any, list[Any]]:
        """Loss in training mode and its gradients, in the order of the trainable variables."""

    def synchronize(self) -> None: ...

    def compilations(self, step: Callable[[Any], Any]) -> int:
        """How often this train step has been traced so far."""

    def peak_device_bytes(self) -> int | None: ...

    def settings(self, model: keras.Sequential) -> dict[str, str | int | float | bool | None]: ...

    def product(self, left: Any, right: Any) -> Callable[[], object]:
        """A call that multiplies two matrices that `put` gave; asynchronous."""

    def accumulate(self, ones: Any) -> Callable[[], object]:
        """A call that adds `ones`, which `put` gave, in place to as many zeros; asynchronous."""


class TensorFlowEngine:
    float64_remedies = "Adam's betas as NumPy float64: Keras casts Python floats through float32"

    def __init__(self) -> None:
        self._tf: Any = importlib.import_module("tensorflow")
        self._device = "cpu"

    def versions(self) -> dict[str, str]:
        build = self._tf.sysconfig.get_build_info()
        found = {"tensorflow": self._tf.__version__}
        for name, key in (("cuda", "cuda_version"), ("cudnn", "cudnn_version")):
            if build.get(key):
                found[name] = str(build[key])
        return found

    def devices(self) -> tuple[str, ...]:
        gpus = self._tf.config.list_physical_devices("GPU")
        return ("cpu", *(f"cuda:{index}" for index in range(len(gpus))))

    def select(self, device: str, threads: int | None) -> None:
        config = self._tf.config
        gpus = config.list_physical_devices("GPU")
        _, _, index = device.partition(":")
        config.set_visible_devices([gpus[int(index)]] if index else [], "GPU")
        config.experimental.enable_tensor_float_32_execution(False)
        if threads is not None:
            config.threading.set_intra_op_parallelism_threads(threads)
        self._device = device

    def widen(self) -> None:
        """Nothing to do: Adam's betas are the model's business."""

    def put(self, value: Any) -> Any:
        return self._tf.identity(value)

    def step(self, model: keras.Sequential) -> Callable[[Any], Any]:
        # as keras.src.backend.tensorflow.trainer compiles the step that `fit` calls
        step: Callable[[Any], Any] = self._tf.function(
            model.train_step, jit_compile=model.jit_compile, reduce_retracing=True
        )
        return step

    def gradients(self, model: keras.Sequential, images: Any, labels: Any) -> tuple[Any, list[Any]]:
        with self._tf.GradientTape() as tape:
            logits = model(images, training=True)
            loss = model.compute_loss(x=images, y=labels, y_pred=logits)
        return loss, tape.gradient(loss, [v.value for v in model.trainable_variables])

    def synchronize(self) -> None:
        self._tf.test.experimental.sync_devices()

    def compilations(self, step: Callable[[Any], Any]) -> int:
        return int(step.experimental_get_tracing_count())  # type: ignore[attr-defined]

    def peak_device_bytes(self) -> int | None:
        if self._device == "cpu":
            return None
        return int(self._tf.config.experimental.get_memory_info("GPU:0")["peak"])

    def settings(self, model: keras.Sequential) -> dict[str, str | int | float | bool | None]:
        config = self._tf.config
        # only the selected GPU is visible, so that TensorFlow counts it as number 0
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
        return lambda: self._tf.linalg.matmul(left, right)

    def accumulate(self, ones: Any) -> Callable[[], object]:
        total = self._tf.Variable(self._tf.zeros_like(ones))

        def add() -> object:
            # a value that nobody reads would cost more than the launch
            total.assign_add(ones, read_value=False)
            return total

        return add


class TorchEngine:
    float64_remedies = "Keras' table that halves 64-bit types changed to keep float64"

    def __init__(self) -> None:
        self._torch: Any = importlib.import_module("torch")
        self._device = "cpu"

    def versions(self) -> dict[str, str]:
        found = {"torch": self._torch.__version__}
        if self._torch.version.cuda is not None:
            found["cuda"] = self._torch.version.cuda
        return found

    def devices(self) -> tuple[str, ...]:
        count = self._torch.cuda.device_count() if self._torch.cuda.is_available() else 0
        return ("cpu", *(f"cuda:{index}" for index in range(count)))

    def select(self, device: str, threads: int | None) -> None:
        self._torch.backends.cuda.matmul.allow_tf32 = False
        self._torch.backends.cudnn.allow_tf32 = False
        if threads is not None:
            self._torch.set_num_threads(threads)
        # entered for good: the process has one device
        keras.device(device).__enter__()
        self._device = device

    def widen(self) -> None:
        # without it Keras computes in float32 and hands out float64
        dtypes = importlib.import_module("keras.src.backend.common.dtypes")
        dtypes.BIT64_TO_BIT32_DTYPE["float64"] = "float64"

    def put(self, value: Any) -> Any:
        return self._torch.as_tensor(value).to(self._device)

    def step(self, model: keras.Sequential) -> Callable[[Any], Any]:
        step: Callable[[Any], Any] = model.train_step
        return step

    def gradients(self, model: keras.Sequential, images: Any, labels: Any) -> tuple[Any, list[Any]]:
        model.zero_grad()
        loss = model.compute_loss(x=images, y=labels, y_pred=model(images, training=True))
        loss.backward()
        gradients = [variable.value.grad.clone() for variable in model.trainable_variables]
        model.zero_grad()
        return loss.detach(), gradients

    def synchronize(self) -> None:
        if self._device != "cpu":
            self._torch.cuda.synchronize(self._device)

    def compilations(self, step: Callable[[Any], Any]) -> int:
        return 0

    def peak_device_bytes(self) -> int | None:
        if self._device == "cpu":
            return None
        return int(self._torch.cuda.max_memory_allocated(self._device))

    def settings(self, model: keras.Sequential) -> dict[str, str | int | float | bool | None]:
        return {
            "device": str(model.trainable_variables[0].value.device),
            "compiled": "inductor" if model.jit_compile else False,
            "tf32_matmul": self._torch.backends.cuda.matmul.allow_tf32,
            "tf32_convolution": self._torch.backends.cudnn.allow_tf32,
            "threads_intra": self._torch.get_num_threads(),
            "threads_inter": self._torch.get_num_interop_threads(),
        }

    def product(self, left: Any, right: Any) -> Callable[[], object]:
        into = left.new_empty(len(left), right.shape[1])
        return lambda: self._torch.mm(left, right, out=into)

    def accumulate(self, ones: Any) -> Callable[[], object]:
        total = self._torch.zeros_like(ones)
        return lambda: total.add_(ones)


ENGINES: dict[str, type[Engine]] = {"tensorflow": TensorFlowEngine, "torch": TorchEngine}
