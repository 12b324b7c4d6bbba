"""The modes of a train step: eager, compiled by `torch.compile`, or captured in a CUDA graph."""

import gc
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, TypeAlias

import torch

from backends.pytorch import machine
from bench.spec import Execution

Step: TypeAlias = Callable[[torch.Tensor, torch.Tensor], None]

# mode to the value of the setting `compiled`
COMPILED = {"default": False, "compiled": "inductor", "graph": "cuda graph", "epoch": "cuda graph"}
# a stream allocates memory and chooses kernels before a capture
WARM_UP_STEPS = 3


def refusal(execution: Execution) -> str | None:
    """Return why this mode is not available, or None if it is."""
    if execution.mode in ("graph", "epoch") and execution.device == "cpu":
        return f"mode {execution.mode!r} replays CUDA graphs, and the device is a CPU"
    return machine.missing_compiler() if execution.mode == "compiled" else None


def compile_step(step: Step, execution: Execution) -> Step:
    """Compile the step in the mode `compiled`: one graph with backward pass and optimizer."""
    if execution.mode != "compiled":
        return step
    machine.raise_recompile_limit()
    config: Any = torch._dynamo.config
    # otherwise Dynamo breaks the graph in two at `backward`; older versions do not have the option
    if hasattr(config, "trace_autograd_ops"):
        config.trace_autograd_ops = True
    # a separate program for the shape of the last batch, not one program for any shape
    program: Step = torch.compile(step, dynamic=False)
    return program


def capture_step(
    step: Step, execution: Execution, state: Callable[[], Iterable[torch.Tensor]]
) -> Step:
    """Wrap the step in a `CapturedStep` in the modes `graph` and `epoch`.

    `state` returns all tensors that the step changes.
    """
    return CapturedStep(step, state) if execution.mode in ("graph", "epoch") else step


def count_programs(step: Step, execution: Execution) -> int:
    """Count the graphs compiled in this process so far, or captured by this step."""
    if execution.mode == "compiled":
        return machine.count_compiled_graphs()
    return len(step.graphs) if isinstance(step, CapturedStep) else 0


def count_graph_breaks(execution: Execution) -> int:
    """Count Dynamo's graph breaks in this process so far; 0 unless the step is compiled."""
    # importing Dynamo takes a second, which an eager process does not spend
    return machine.count_graph_breaks() if execution.mode == "compiled" else 0


class CapturedStep:
    """A step that is captured once per shape of its images, and replayed from then on."""

    def __init__(self, step: Step, state: Callable[[], Iterable[torch.Tensor]]) -> None:
        self._step = step
        self._state = state
        self.graphs: dict[torch.Size, tuple[torch.cuda.CUDAGraph, torch.Tensor, torch.Tensor]] = {}

    def __call__(self, images: torch.Tensor, labels: torch.Tensor) -> None:
        if images.shape not in self.graphs:
            self.graphs[images.shape] = self._capture(images.clone(), labels.clone())
        graph, graph_images, graph_labels = self.graphs[images.shape]
        graph_images.copy_(images)
        graph_labels.copy_(labels)
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
                # some optimizers create tensors in their first step, with zeros
                tensor.copy_(before.get(id(tensor), torch.zeros_like(tensor)))
        graph = torch.cuda.CUDAGraph()
        with pause_collector(), torch.cuda.graph(graph):
            self._step(images, labels)
        return graph, images, labels


@contextmanager
def pause_collector() -> Iterator[None]:
    """Collect garbage now, then disable Python's garbage collector for the block.

    If it destroys a graph during a capture, the captured graph is invalid. Since 2.9 PyTorch no
    longer prevents this: https://github.com/pytorch/pytorch/pull/161037.
    """
    gc.collect()
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
