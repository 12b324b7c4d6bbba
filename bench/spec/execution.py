"""How a workload is computed, and the cell of a workload, a backend and an execution."""

import re
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeAlias, get_args

from bench.spec.checks import is_count, require
from bench.spec.workload import TRAIN_IMAGES

Mode: TypeAlias = Literal["default", "compiled", "graph", "epoch"]
Precision: TypeAlias = Literal["float32", "tf32", "bfloat16", "float64"]
OptimizerMath: TypeAlias = Literal["matched", "stock"]

MODES: tuple[Mode, ...] = get_args(Mode)
PRECISIONS: tuple[Precision, ...] = get_args(Precision)
OPTIMIZER_MATH: tuple[OptimizerMath, ...] = get_args(OptimizerMath)

DEVICE = re.compile(r"cpu|cuda:(0|[1-9][0-9]{0,3})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Execution:
    """How a workload is computed. With `threads` None the framework chooses the number of threads.

    Raises `UsageError` for an unknown name or a number out of range.
    """

    device: str
    batch_size: int
    mode: Mode = "default"
    precision: Precision = "float32"
    threads: int | None = None
    optimizer: OptimizerMath = "matched"

    def __post_init__(self) -> None:
        require(
            isinstance(self.device, str) and DEVICE.fullmatch(self.device) is not None,
            "unknown device",
            expected="cpu or cuda:N",
            received=self.device,
        )
        for what, value, known in (
            ("mode", self.mode, MODES),
            ("precision", self.precision, PRECISIONS),
            ("optimizer", self.optimizer, OPTIMIZER_MATH),
        ):
            require(
                value in known, f"unknown {what}", expected=f"one of {', '.join(known)}",
                received=value,
            )  # fmt: skip
        require(
            is_count(self.batch_size) and self.batch_size <= TRAIN_IMAGES,
            "batch size",
            expected=f"1 to {TRAIN_IMAGES}",
            received=self.batch_size,
        )
        require(
            self.threads is None or is_count(self.threads),
            "threads",
            expected="None or an integer >= 1",
            received=self.threads,
        )

    @property
    def dtype(self) -> str:
        """Return NumPy's name for the dtype of parameters and optimizer.

        A mixed precision keeps them in float32.
        """
        return "float64" if self.precision == "float64" else "float32"

    @property
    def many_steps(self) -> bool:
        """Return whether one call of the train step may make several steps, one per batch."""
        return self.mode == "epoch"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """Workload x backend x execution: the subject of one row of a report."""

    workload: str
    backend: str
    execution: Execution

    def but(self, **changes: Any) -> "Cell":
        """Return the same cell with another mode, device, ... of its execution."""
        return replace(self, execution=replace(self.execution, **changes))

    @property
    def label(self) -> str:
        """Return a name that is unique in a run and safe as a part of a file name."""
        how = self.execution
        parts = [self.workload, self.backend, how.device.replace(":", ""), how.mode, how.precision]
        if how.optimizer != "matched":
            parts.append(how.optimizer)
        if how.threads is not None:
            parts.append(f"t{how.threads}")
        return "_".join([*parts, f"b{how.batch_size}"])
