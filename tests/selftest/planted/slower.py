"""PyTorch with a train step that does more work: `pytorch-slower-10` does every tenth step twice.

It is more of the same work, not a sleep: like a slower implementation, it scales with the machine
and its load.
"""

from typing import Any

from backends.pytorch.adapter import PytorchBackend, PytorchProgram
from bench.adapter import Parameters
from bench.spec import Execution, Workload

PREFIX = "pytorch-slower-"


class SlowerProgram(PytorchProgram):
    percent = 0
    _steps = 0

    def load(self, parameters: Parameters, seed: int) -> None:
        super().load(parameters, seed)
        # the certificate tests the first step, which has to be right
        self._steps = 0

    def train_step(self, batch: Any) -> None:
        super().train_step(batch)
        before, self._steps = self._steps, self._steps + 1
        # `percent` of a hundred steps, evenly spread, are done twice
        if self._steps * self.percent // 100 > before * self.percent // 100:
            super().train_step(batch)


class SlowerBackend(PytorchBackend):
    def __init__(self, name: str) -> None:
        self.name = name

    def build(self, workload: Workload, execution: Execution) -> SlowerProgram:
        super().build(workload, execution)
        program = SlowerProgram(workload, execution)
        program.percent = int(self.name.removeprefix(PREFIX))
        return program


def open_backend(name: str) -> SlowerBackend:
    return SlowerBackend(name)
