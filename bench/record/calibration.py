"""The calibrations of a run as they stand in `run.json`: raw seconds, and the rates they give."""

from collections.abc import Iterable, Mapping
from typing import Annotated

from pydantic import Field, model_validator

from bench.record import Count, Samples, Seconds, Strict


class RepeatsModel(Strict):
    """Repeats of one thing: `calls[i]` calls took `seconds[i]` seconds together."""

    calls: Annotated[list[Count], Field(min_length=1)]
    seconds: Samples

    @model_validator(mode="after")
    def _paired(self) -> "RepeatsModel":
        if len(self.calls) != len(self.seconds):
            raise ValueError(f"{len(self.calls)} counts of calls, {len(self.seconds)} times")
        return self

    @property
    def call_seconds(self) -> float:
        """Of the best repeat: what disturbs a call only makes it slower."""
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
        """A multiply-add counts 2."""
        return 2 * self.rows * self.inner * self.columns / self.call_seconds


class AccumulateModel(RepeatsModel):
    """`y += x` over two arrays of `array_bytes` each."""

    array_bytes: Count

    @property
    def bytes_per_second(self) -> float:
        """Two reads and a write."""
        return 3 * self.array_bytes / self.call_seconds


class AttainedModel(Strict):
    """What was timed, as raw repeats. `dense` are the products of the workloads' dense layers.

    `launch` is `y += x` over a single value: all dispatch. Only a GPU has it.
    """

    large: ProductModel
    accumulate: AccumulateModel
    launch: RepeatsModel | None
    dense: list[ProductModel]
    wall_seconds: Seconds


class CalibrationModel(Strict):
    """What one backend attained on one device; where that is null, `missing` is the reason."""

    backend: str
    device: str
    precision: str
    attained: AttainedModel | None
    missing: str | None


def calibrations(backend: str, sent: Iterable[Mapping[str, object]]) -> list[CalibrationModel]:
    """Return the calibrations that a pilot of this backend sent, one per precision."""
    return [CalibrationModel.model_validate({"backend": backend, **each}) for each in sent]
