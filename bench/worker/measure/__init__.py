"""How a program is timed: phases, warm-up, blocks, lanes, the canary, counters of the machine.

All lanes stand in `lanes.py`. Standard library alone, for this runs in the workers.
"""

from bench.worker.measure.blocks import block_size, call_size, fit_slice, step_block
from bench.worker.measure.canary import Canary, canary
from bench.worker.measure.counters import Counters, Sensors
from bench.worker.measure.lanes import (
    canary_lane,
    latency_lane,
    native_lane,
    power_lane,
    run_up,
    short_steps,
    step_lane,
    tutorial_lane,
    warm_fit,
    warm_tutorial,
)
from bench.worker.measure.phases import Clock, Phases
from bench.worker.measure.steady import WarmUp, has_two_levels, is_steady, warm_up

__all__ = [
    "Canary",
    "Clock",
    "Counters",
    "Phases",
    "Sensors",
    "WarmUp",
    "block_size",
    "call_size",
    "canary",
    "canary_lane",
    "fit_slice",
    "has_two_levels",
    "is_steady",
    "latency_lane",
    "native_lane",
    "power_lane",
    "run_up",
    "short_steps",
    "step_block",
    "step_lane",
    "tutorial_lane",
    "warm_fit",
    "warm_tutorial",
    "warm_up",
]
