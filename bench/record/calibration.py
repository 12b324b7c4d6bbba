"""Models of a run's calibrations in `run.json`: raw seconds, and the rates computed from them."""

from collections.abc import Iterable, Mapping
from typing import Annotated

from pydantic import Field, model_validator

from bench.record import Count, Samples, Seconds, Strict


class RepeatsModel(Strict):
    """Repeats of one measurement: `calls[i]` calls took `seconds[i]` seconds together."""

    calls: Annotated[list[Count], Field(min_length=1)]
    seconds: Samples

    @model_validator(mode="after")
    def _paired(self) -> "RepeatsModel":
        if len(self.calls) != len(self.seconds):
            raise ValueError(f"{len(self.calls)} counts of calls, {len(self.seconds)} times")
        return self

    @property
    def call_seconds(self) -> float:
        """Return the seconds per call of the best repeat: disturbances only make a call slower."""
        return min(seconds / calls for calls, seconds in zip(self.calls, self.seconds, strict=True))


class ProductModel(RepeatsModel):
    """Products of a matrix (rows, inner) and a matrix (inner, columns)."""

    rows: Count
    inner: Count
    columns: Count

    @property
    def shape(self) -> tuple[int, int, int]:
        return self.rows, self.inner, self.columns

    @property
    def operations_per_second(self) -> float:
        """Return floating-point operations per second; a multiply-add counts 2."""
        return 2 * self.rows * self.inner * self.columns / self.call_seconds


class AccumulateModel(RepeatsModel):
    """`y += x` over two arrays of `array_bytes` each."""

    array_bytes: Count

    @property
    def bytes_per_second(self) -> float:
        """Return the memory traffic: two reads and one write per value."""
        return 3 * self.array_bytes / self.call_seconds


class AttainedModel(Strict):
    """All that was timed, as raw repeats. `dense` are the products of the workloads' dense layers.

    `launch` is `y += x` over a single value: only dispatch. It is measured on GPUs alone.
    """

    large: ProductModel
    accumulate: AccumulateModel
    launch: RepeatsModel | None
    dense: list[ProductModel]
    wall_seconds: Seconds


class CalibrationModel(Strict):
    """What one backend attained on one device; if it is None, `missing` is the reason."""

    backend: str
    device: str
    precision: str
    attained: AttainedModel | None
    missing: str | None


def calibrations(backend: str, sent: Iterable[Mapping[str, object]]) -> list[CalibrationModel]:
    """Return the calibrations that a pilot of this backend sent, one per precision."""
    return [CalibrationModel.model_validate({"backend": backend, **each}) for each in sent]
