"""Timing a program: phases, warm-up, blocks, lanes, the canary, and what else was running.

Needs only the standard library, for it runs in the workers.
"""

from bench.worker.measure.blocks import block_size, call_size, fit_slice, step_block
from bench.worker.measure.canary import Canary, canary
from bench.worker.measure.counters import Counters, Sensors
from bench.worker.measure.lanes import latency_lane, native_lane, short_steps
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
    "fit_slice",
    "has_two_levels",
    "is_steady",
    "latency_lane",
    "native_lane",
    "short_steps",
    "step_block",
    "warm_up",
]
