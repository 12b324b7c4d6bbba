"""A train step as it is, compiled by `torch.compile`, or captured in a CUDA graph."""

import gc
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, TypeAlias

import torch

from backends.pytorch import machine
from bench.spec import Execution

Step: TypeAlias = Callable[[torch.Tensor, torch.Tensor], None]

# mode to what the setting `compiled` says
COMPILED = {"default": False, "compiled": "inductor", "graph": "cuda graph", "epoch": "cuda graph"}
MOST_RECOMPILES = 128
# what a stream needs before a capture: allocations and the choice of kernels
WARM_UP_STEPS = 3


def unsupported(execution: Execution) -> str | None:
    """Why this mode can't be had, or None where it can."""
    on_cpu = execution.device == "cpu"
    if execution.mode in ("graph", "epoch") and on_cpu:
        return f"mode {execution.mode!r} replays CUDA graphs, and the device is a CPU"
    return machine.missing_compiler() if execution.mode == "compiled" else None


def compiled(step: Step, execution: Execution) -> Step:
    """In this mode alone the whole step as one graph, backward pass and optimizer in it."""
    if execution.mode != "compiled":
        return step
    config: Any = torch._dynamo.config
    # a process that pilots compiles every workload in two shapes; past the limit it would run eager
    config.recompile_limit = MOST_RECOMPILES
    # without it Dynamo breaks the graph in two at `backward`; older versions can't do otherwise
    if hasattr(config, "trace_autograd_ops"):
        config.trace_autograd_ops = True
    # a shape of its own for the last batch, not one program for any
    found: Step = torch.compile(step, dynamic=False)
    return found


def captured(step: Step, execution: Execution, state: Callable[[], Iterable[torch.Tensor]]) -> Step:
    """The step as a CUDA graph where the mode asks for it; `state` gives all that it changes."""
    return Captured(step, state) if execution.mode in ("graph", "epoch") else step


def programs(step: Step, execution: Execution) -> int:
    """Graphs that were compiled in this process so far, or that this step has captured."""
    if execution.mode == "compiled":
        return int(torch._dynamo.utils.counters["stats"]["unique_graphs"])
    return len(step.graphs) if isinstance(step, Captured) else 0


def graph_breaks(execution: Execution) -> int:
    # importing Dynamo takes a second that an eager process does not pay
    if execution.mode != "compiled":
        return 0
    return sum(torch._dynamo.utils.counters["graph_break"].values())


class Captured:
    """The step, captured for each shape that comes, and replayed from then on."""

    def __init__(self, step: Step, state: Callable[[], Iterable[torch.Tensor]]) -> None:
        self._step = step
        self._state = state
        self.graphs: dict[torch.Size, tuple[torch.cuda.CUDAGraph, torch.Tensor, torch.Tensor]] = {}

    def __call__(self, images: torch.Tensor, labels: torch.Tensor) -> None:
        if images.shape not in self.graphs:
            self.graphs[images.shape] = self._capture(images.clone(), labels.clone())
        graph, own_images, own_labels = self.graphs[images.shape]
        own_images.copy_(images)
        own_labels.copy_(labels)
        graph.replay()

    def _capture(
        self, images: torch.Tensor, labels: torch.Tensor
    ) -> tuple[torch.cuda.CUDAGraph, torch.Tensor, torch.Tensor]:
        before = {id(tensor): tensor.detach().clone() for tensor in self._state()}
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            for _ in range(WARM_UP_STEPS):
                self._step(images, labels)
        torch.cuda.current_stream().wait_stream(stream)
        with torch.no_grad():
            for tensor in self._state():
                # some optimizers make theirs in the first step
                tensor.copy_(before.get(id(tensor), torch.zeros_like(tensor)))
        graph = torch.cuda.CUDAGraph()
        with nothing_collected(), torch.cuda.graph(graph):
            self._step(images, labels)
        return graph, images, labels


@contextmanager
def nothing_collected() -> Iterator[None]:
    """Without Python's garbage collector, whose work is done before.

    A graph that it destroys makes one that is being captured invalid, and since PyTorch 2.9 nobody
    else sees to it: https://github.com/pytorch/pytorch/pull/161037.
    """
    gc.collect()
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
