"""The five workloads as values, with their sources' published results (`published.json`)."""

import json
from collections.abc import Iterable, Mapping
from importlib import resources
from typing import Any

from bench.errors import UsageError, suggestion
from bench.spec import (
    ADAM,
    IMAGE_SHAPE,
    RMSPROP,
    Conv2D,
    Dense,
    Dropout,
    Flatten,
    Layer,
    MaxPool2D,
    PublishedResult,
    Workload,
)

LOGITS = Dense(units=10, activation="linear")


def load_published() -> dict[str, tuple[PublishedResult, ...]]:
    """Return published results by workload name; sources without an accuracy are left out."""
    text = resources.files("bench.spec").joinpath("published.json").read_text(encoding="utf-8")
    document = json.loads(text)
    return {
        workload: tuple(
            published_result(entry, document["sources"][entry["source"]])
            for entry in entries
            if entry["test_accuracy"] is not None
        )
        for workload, entries in document["results"].items()
    }


def published_result(entry: Mapping[str, Any], source: Mapping[str, Any]) -> PublishedResult:
    """Combine one entry of `published.json` with its source."""
    return PublishedResult(
        source=entry["source"],
        **source,
        test_accuracy=entry["test_accuracy"],
        test_loss=entry["test_loss"],
        wrong=entry.get("wrong"),
        last_epoch_train_accuracy=entry.get("last_epoch_train_accuracy"),
        last_epoch_train_loss=entry.get("last_epoch_train_loss"),
        train_accuracy_after=entry.get("train_accuracy_after"),
        train_loss_after=entry.get("train_loss_after"),
        step_milliseconds=_pair(entry.get("step_ms")),
        sample_microseconds=_pair(entry.get("sample_us")),
        parameters_printed=entry["parameters_printed"],
        wrong_indices=tuple(entry.get("wrong_indices", ())),
        sampled_wrong_indices=tuple(entry.get("sampled_wrong_indices", ())),
        first_predictions=tuple(entry.get("first_predictions", ())),
    )


def _pair(values: list[float] | None) -> tuple[float, float] | None:
    return None if values is None else (values[0], values[1])


def dense_stack(*units: int) -> tuple[Layer, ...]:
    """Return ReLU layers of these widths, then the layer of the ten logits."""
    return (*(Dense(units=width) for width in units), LOGITS)


PUBLISHED = load_published()

MLP_512_256 = Workload(
    name="mlp-512-256",
    input_shape=(784,),
    layers=dense_stack(512, 256),
    optimizer=ADAM,
    batch_size=128,
    epochs=10,
    parameter_counts=(401_920, 131_328, 2_570),
    published=PUBLISHED["mlp-512-256"],
)
MLP_512 = Workload(
    name="mlp-512",
    input_shape=(784,),
    layers=dense_stack(512),
    optimizer=RMSPROP,
    batch_size=128,
    epochs=5,
    parameter_counts=(401_920, 5_130),
    published=PUBLISHED["mlp-512"],
)
MLP_256_256_128_64 = Workload(
    name="mlp-256-256-128-64",
    input_shape=(784,),
    layers=dense_stack(256, 256, 128, 64),
    optimizer=RMSPROP,
    batch_size=128,
    epochs=100,
    parameter_counts=(200_960, 65_792, 32_896, 8_256, 650),
    published=PUBLISHED["mlp-256-256-128-64"],
)
MLP_1000 = Workload(
    name="mlp-1000",
    input_shape=(784,),
    layers=dense_stack(1000),
    optimizer=ADAM,
    batch_size=100,
    epochs=10,
    parameter_counts=(785_000, 10_010),
    published=PUBLISHED["mlp-1000"],
)
CNN = Workload(
    name="cnn",
    input_shape=IMAGE_SHAPE,
    layers=(
        Conv2D(filters=32, kernel_size=5),
        MaxPool2D(size=2),
        Conv2D(filters=64, kernel_size=2),
        MaxPool2D(size=2),
        Dropout(rate=0.25),
        Flatten(),
        *dense_stack(1000),
    ),
    optimizer=ADAM,
    batch_size=32,
    epochs=5,
    parameter_counts=(832, 8_256, 3_137_000, 10_010),
    published=PUBLISHED["cnn"],
)

WORKLOADS = {
    workload.name: workload
    for workload in (MLP_512_256, MLP_512, MLP_256_256_128_64, MLP_1000, CNN)
}


def select_workloads(names: Iterable[str]) -> tuple[Workload, ...]:
    """Return the named workloads in the order of the table; all of them if no name is given.

    Raises `UsageError` that lists the known names if a name is unknown.
    """
    wanted = set(names) or set(WORKLOADS)
    unknown = sorted(wanted - set(WORKLOADS))
    if unknown:
        raise UsageError(
            f"unknown workload. Expected: {', '.join(WORKLOADS)}. Received: {', '.join(unknown)}"
            f"{suggestion(unknown, WORKLOADS)}"
        )
    return tuple(workload for name, workload in WORKLOADS.items() if name in wanted)
