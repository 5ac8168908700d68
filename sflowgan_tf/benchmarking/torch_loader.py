"""PyTorch's usual way to a batch: PNGs, Pillow, DataLoader. Runs where PyTorch and Pillow are."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch.utils.data import DataLoader, Dataset, Sampler

_NAMES = ("image_real", "labels", "edges")


class Frames(Dataset[dict[str, torch.Tensor]]):
    """Frames in folders of PNGs, mirrored and enlarged at random as ours are."""

    def __init__(self, folder: Path, flip: bool, max_scale: float):
        """Finds the files; see `pytorch.loader_order`."""
        files = [sorted((folder / name).glob("*.png")) for name in _NAMES]
        self._files = [*zip(*files, strict=True)]
        self._flip, self._max_scale = flip, max_scale

    def __len__(self) -> int:
        """How many there are."""
        return len(self._files)

    def __getitem__(self, index: int) -> dict[str, torch.Tensor]:
        """image_real (height, width, 3), labels (height, width), edges (height, width, 1) uint8."""
        scale, x, y, side = torch.rand(4).tolist()
        scale = 1 + scale * (self._max_scale - 1)
        frame = {}
        for name, file in zip(_NAMES, self._files[index], strict=True):
            with Image.open(file) as picture:
                picture.load()
            if self._max_scale > 1:
                width, height = picture.size
                wide, high = round(width / scale), round(height / scale)
                left, top = int(x * (width - wide + 1)), int(y * (height - high + 1))
                kind = Image.Resampling
                how = kind.BILINEAR if name == "image_real" else kind.NEAREST
                picture = picture.resize((width, height), how, (left, top, left + wide, top + high))
            if self._flip and side < 0.5:
                picture = picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
            frame[name] = torch.from_numpy(np.array(picture))
        frame["edges"] = (frame["edges"] // 255)[..., None]
        return frame


class Endless(Sampler[int]):
    """Epoch after epoch, each in an order of its own, without a pause between them."""

    def __init__(self, count: int, seed: int):
        """So many examples in an epoch."""
        self._count, self._draw = count, torch.Generator().manual_seed(seed)

    def __iter__(self) -> Iterator[int]:
        """Indices without end."""
        while True:
            yield from torch.randperm(self._count, generator=self._draw).tolist()


class Loader:
    """Batches of a `DataLoader` with its worker processes."""

    def __init__(self, order: dict[str, Any]):
        """Starts them; `order` is that of `pytorch.loader_order`."""
        torch.manual_seed(order["seed"])
        frames = Frames(Path(order["folder"]), order["flip"], order["max_scale"])
        loader = DataLoader(
            frames,
            order["batch"],
            sampler=Endless(len(frames), order["seed"]),
            num_workers=order["processes"],
            drop_last=True,
        )
        self._order, self._batches = order, iter(loader)

    def run(self) -> None:
        """Waits for the next batches."""
        for _ in range(self._order["batches"]):
            next(self._batches)

    def figures(self) -> dict[str, Any]:
        """How many frames a run has, and PyTorch's version."""
        frames = self._order["batches"] * self._order["batch"]
        return {"items": frames, "version": torch.__version__}

    def profile(self) -> list[dict[str, Any]]:
        """Nothing: only our own operations are profiled."""
        return []
