"""PyTorch's own input pipelines: tensors in a DataLoader, and torchvision's data set of files."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import torch
from torch.utils.data import DataLoader, Subset, TensorDataset

from bench.adapter import Array


def image_tensor(images: Array, dtype: torch.dtype) -> torch.Tensor:
    """Return images `(n, height, width, channels)` as `(n, channels, height, width)`.

    Vectors `(n, pixels)` keep their shape.
    """
    tensor = torch.from_numpy(images).to(dtype)
    if tensor.ndim == 2:
        return tensor
    # with one channel `contiguous` would keep strides that torch interprets as channels-last
    return tensor.movedim(-1, 1).clone(memory_format=torch.contiguous_format)


def batches(
    images: torch.Tensor, *others: torch.Tensor, batch_size: int
) -> Iterable[tuple[torch.Tensor, ...]]:
    """Return the batches in the order given, with the last partial batch."""
    loader: Iterable[tuple[torch.Tensor, ...]] = DataLoader(
        TensorDataset(images, *others), batch_size=batch_size, shuffle=False
    )
    return loader


def tutorial_batches(folder: Path, count: int, batch_size: int) -> DataLoader[Any]:
    """Return a tutorial's loader: per sample it decodes and transforms a PIL image; shuffled.

    `folder` holds `MNIST/raw`; nothing is downloaded. Raises `ImportError` without torchvision.
    """
    from torchvision import datasets, transforms  # noqa: PLC0415 - only this lane needs it

    dataset = datasets.MNIST(folder, train=True, download=False, transform=transforms.ToTensor())
    return DataLoader(Subset(dataset, range(count)), batch_size=batch_size, shuffle=True)
