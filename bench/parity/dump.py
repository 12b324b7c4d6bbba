"""Write one step of a cell as arrays in files, so that anyone can check it with their own code."""

from pathlib import Path

import numpy as np

from bench.adapter import Array
from bench.parity.ladder import Ladder
from bench.spec import Cell

STEPS = (1, 10)


def dump(ladder: Ladder, folder: Path, cell: Cell) -> None:
    """Write `weights.npz`, `batch.npz` and `out.npz` into `folder/<workload>/<backend>`.

    Results of a GPU are written into `<backend>-cuda0` beside it.

    `weights`: the probe's, by canonical name. `batch`: `x` in [0, 1] in the workload's input shape,
    `y` integers. `out`: what the backend computes from them: `logits`, `loss`, `grad:<name>`, and
    `w1:<name>`, `w10:<name>` after that many steps on that same batch. All are float64 except `y`.
    Dropout is removed, because it draws other masks in every framework.
    """
    device = cell.execution.device.replace(":", "")
    place = (
        folder / cell.workload / (cell.backend if device == "cpu" else f"{cell.backend}-{device}")
    )
    place.mkdir(parents=True, exist_ok=True)
    images, labels = ladder.probe.full
    save(place / "weights.npz", to_float64(ladder.probe.parameters))
    save(place / "batch.npz", {"x": images.astype(np.float64), "y": labels})
    save(place / "out.npz", to_float64(step_arrays(ladder)))


def save(path: Path, arrays: dict[str, Array]) -> None:
    """Write the arrays into one file, without pickled objects."""
    np.savez(path, allow_pickle=False, **arrays)


def step_arrays(ladder: Ladder) -> dict[str, Array]:
    """Return what the backend computes from the probe: logits, loss, gradients and new weights."""
    program = ladder.build(ladder.still)
    program.load(ladder.parameters, ladder.seed)
    batch = program.put(ladder.probe.full)
    loss, gradients = program.gradients(batch)
    arrays: dict[str, Array] = {"logits": program.forward(batch), "loss": np.array(loss)}
    arrays |= {f"grad:{name}": value for name, value in gradients.items()}
    for number in range(1, max(STEPS) + 1):
        program.train_step(batch)
        if number in STEPS:
            program.synchronize()
            weights = program.parameters()
            arrays |= {f"w{number}:{name}": value for name, value in weights.items()}
    return arrays


def to_float64(arrays: dict[str, Array]) -> dict[str, Array]:
    return {name: value.astype(np.float64) for name, value in arrays.items()}
