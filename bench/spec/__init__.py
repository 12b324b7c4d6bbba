"""What is computed and how: frozen values, checked when they are created and never changed.

A variant of a value is `dataclasses.replace(value, ...)`, which checks it again.
"""

from bench.spec.checks import (
    require,
)
from bench.spec.execution import (
    MODES,
    OPTIMIZER_MATH,
    PRECISIONS,
    Cell,
    Execution,
    Mode,
    OptimizerMath,
    Precision,
)
from bench.spec.layers import (
    ACTIVATIONS,
    PADDINGS,
    Conv2D,
    Dense,
    Dropout,
    Flatten,
    Layer,
    MaxPool2D,
    Shape,
)
from bench.spec.place import (
    OURS,
    Place,
)
from bench.spec.trial import (
    AccuracyPlan,
    ParityPlan,
    Setup,
    Status,
    TimingPlan,
    Trial,
    TrialKind,
)
from bench.spec.workload import (
    ADAM,
    CLASSES,
    IMAGE_SHAPE,
    LABELS,
    RMSPROP,
    TEST_IMAGES,
    TRAIN_IMAGES,
    Labels,
    LayerSummary,
    Optimizer,
    PublishedResult,
    Workload,
)

__all__ = [
    "ACTIVATIONS",
    "ADAM",
    "CLASSES",
    "IMAGE_SHAPE",
    "LABELS",
    "MODES",
    "OPTIMIZER_MATH",
    "OURS",
    "PADDINGS",
    "PRECISIONS",
    "RMSPROP",
    "TEST_IMAGES",
    "TRAIN_IMAGES",
    "AccuracyPlan",
    "Cell",
    "Conv2D",
    "Dense",
    "Dropout",
    "Execution",
    "Flatten",
    "Labels",
    "Layer",
    "LayerSummary",
    "MaxPool2D",
    "Mode",
    "Optimizer",
    "OptimizerMath",
    "ParityPlan",
    "Place",
    "Precision",
    "PublishedResult",
    "Setup",
    "Shape",
    "Status",
    "TimingPlan",
    "Trial",
    "TrialKind",
    "Workload",
    "require",
]
