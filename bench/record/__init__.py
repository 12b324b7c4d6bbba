"""The record: the JSON file that one trial leaves. Raw samples inside, statistics never."""

from bench.record.measured import (
    AccuracyModel,
    ContentionModel,
    EnvironmentModel,
    EpochModel,
    GpuModel,
    GpuUseModel,
    LanesModel,
    NativeLane,
    ParityModel,
    RungModel,
    TimingsModel,
    WindowsModel,
)
from bench.record.strict import (
    Count,
    Fraction,
    Samples,
    Scalar,
    Seconds,
    Strict,
    first_problem,
    read_strict_json,
)
from bench.record.trial import (
    TrialModel,
)
from bench.record.whole import (
    SCHEMA_VERSION,
    Record,
    digest,
    read_record,
    seal,
    unexplained_nulls,
    write_record,
)

__all__ = [
    "SCHEMA_VERSION",
    "AccuracyModel",
    "ContentionModel",
    "Count",
    "EnvironmentModel",
    "EpochModel",
    "Fraction",
    "GpuModel",
    "GpuUseModel",
    "LanesModel",
    "NativeLane",
    "ParityModel",
    "Record",
    "RungModel",
    "Samples",
    "Scalar",
    "Seconds",
    "Strict",
    "TimingsModel",
    "TrialModel",
    "WindowsModel",
    "digest",
    "first_problem",
    "read_record",
    "read_strict_json",
    "seal",
    "unexplained_nulls",
    "write_record",
]
