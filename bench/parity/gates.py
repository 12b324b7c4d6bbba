"""The gates: how far a rung's measured value may lie from the oracle's, by precision.

Each gate in the table lies well above the honest noise and below what each planted bug leaves;
docs/parity.md has the measurements of both. CONTRIBUTING says how to change a gate.
"""

from collections.abc import Mapping

from bench.errors import UsageError

# in standard errors: a sound backend fails this in 7 of a million certificates
SIGMAS = 4.5

# its noise lets only gross errors show; the float64 certificate of the same code shows the rest
BFLOAT16 = {
    "forward": 0.03,
    "gradient": 0.6,
    "update adam": 2.0,
    "update rmsprop": 0.3,
    "fit adam": 2.0,
    "fit rmsprop": 0.3,
    "fit loss adam": 0.06,
    "fit loss rmsprop": 0.01,
    "trajectory adam": 0.02,
    "trajectory rmsprop": 0.01,
    "tanh trajectory adam": 0.005,
    "tanh trajectory rmsprop": 0.01,
    "dropout share": SIGMAS,
    "dropout scale": 0.2,
    "dropout masks": SIGMAS,
}
# A rule: its mantissa has three bits more than bfloat16's. Published certificates on an H200 reach
# 0.114 (keras-torch) and 0.088 (pytorch) of the CNN's gradient gate of 0.15: margins of 1.3 and 1.7
TF32_SHARE = 1 / 4

GATES: Mapping[str, Mapping[str, float]] = {
    "float32": {
        "forward": 1e-5,
        "gradient": 5e-5,
        "update adam": 4e-4,
        "update rmsprop": 4e-5,
        "fit adam": 1.4e-3,
        "fit rmsprop": 4e-5,
        "fit loss adam": 2e-5,
        "fit loss rmsprop": 5e-6,
        "trajectory adam": 5e-5,
        "trajectory rmsprop": 5e-6,
        "tanh trajectory adam": 5e-5,
        "tanh trajectory rmsprop": 3e-5,
        "dropout share": SIGMAS,
        "dropout scale": 1e-3,
        "dropout masks": SIGMAS,
    },
    "float64": {
        "forward": 1e-13,
        "gradient": 1e-13,
        "update adam": 1e-12,
        "update rmsprop": 1e-12,
        "fit adam": 1e-12,
        "fit rmsprop": 1e-12,
        "fit loss adam": 1e-12,
        "fit loss rmsprop": 1e-12,
        "trajectory adam": 1e-11,
        "trajectory rmsprop": 1e-11,
    },
    "bfloat16": BFLOAT16,
    "tf32": {
        rung: limit if limit == SIGMAS else TF32_SHARE * limit for rung, limit in BFLOAT16.items()
    },
}
# a float64 difference in this range comes from float32 that was not asked for
FLOAT32_NOISE = (1e-9, 1e-4)


def gate(precision: str, rung: str) -> float:
    """Return the gate of a rung; raises `UsageError` for a precision without measured gates."""
    if precision not in GATES:
        raise UsageError(
            f"no parity gates for this precision. Expected: one of {', '.join(GATES)}. "
            f"Received: {precision}"
        )
    return GATES[precision][rung]
