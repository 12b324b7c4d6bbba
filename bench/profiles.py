"""How much a run measures: the profiles `smoke`, `standard` and `full`."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from bench.errors import UsageError
from bench.spec import (
    TRAIN_IMAGES,
    ParityPlan,
)
from bench.workloads import WORKLOADS

MOST_ROUNDS = 30
# as many as a verdict needs
GOOD_ROUNDS = 6
# float64 comes first: the certificate of float32 refers to its certificate
CERTIFICATE = (
    ParityPlan(precision="float64", steps=500),
    ParityPlan(precision="float32", steps=10, twin_steps=300),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """How much is measured.

    `epochs` replaces the published number of epochs, by workload name. `longer` adds one training
    with the first seed and this number of epochs, by workload name.

    Every cell passes the rungs of `parity` before anything else. In the first `cold_rounds` rounds
    the compile cache is empty, if a mode has one. Rounds are added while two cells that are
    compared were steady together in fewer than `steady_rounds` rounds, and up to `most_rounds`
    while an interval is too wide.
    With `repeats`, disturbed trials are run once more.
    """

    name: str
    rounds: int
    parity: tuple[ParityPlan, ...] = CERTIFICATE
    window_blocks: int = 10
    blocks: int = 12
    native_seconds: float = 2.0
    native_slices: int = 1
    tutorial_steps: int = 50
    tutorial_rounds: int = 6
    latency_seconds: float = 0.3
    power_seconds: float = 10.0
    power_rounds: int = 6
    cold_rounds: int = 3
    most_rounds: int = 0
    steady_rounds: int = 0
    repeats: bool = True
    seeds: tuple[int, ...] = (0,)
    epochs: Mapping[str, int] = field(default_factory=dict)
    longer: Mapping[str, int] = field(default_factory=dict)
    train_images: int = TRAIN_IMAGES


PROFILES = {
    profile.name: profile
    for profile in (
        Profile(
            name="smoke",
            rounds=1,
            parity=(ParityPlan(precision="float32", steps=10, twin_steps=20),),
            window_blocks=5,
            blocks=6,
            native_seconds=0.0,
            tutorial_steps=20,
            latency_seconds=0.0,
            power_rounds=0,
            repeats=False,
            epochs=dict.fromkeys(WORKLOADS, 1),
            train_images=6_400,
        ),
        Profile(
            name="standard", rounds=10, steady_rounds=GOOD_ROUNDS, epochs={"mlp-256-256-128-64": 20}
        ),
        Profile(
            name="full",
            rounds=20,
            steady_rounds=GOOD_ROUNDS,
            most_rounds=MOST_ROUNDS,
            seeds=tuple(range(10)),
            longer={"mlp-512-256": 50},
        ),
    )
}


def select_profile(name: str) -> Profile:
    """Return the profile of this name; raises `UsageError` if there is none."""
    if name not in PROFILES:
        raise UsageError(
            f"unknown profile. Expected: one of {', '.join(PROFILES)}. Received: {name!r}"
        )
    return PROFILES[name]
