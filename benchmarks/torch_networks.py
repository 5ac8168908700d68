"""The generator and the DNED in PyTorch, for `benchmarks.deployment`, as a process of its own.

It needs PyTorch and NumPy alone, so it runs in an environment without TensorFlow, and neither
library's threads get in the other's way:

    python -m benchmarks.torch_networks TASK.npz PAINTED.npz

TASK holds settings, scenes and the weights of Keras' networks. It paints each scene once, writes
the pictures to PAINTED and says "ready"; from then on it paints the scene whose number it reads and
answers with a line.
"""

import json
import sys
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from sflowgan_tf.benchmarking.torch_process import Generator
from sflowgan_tf.ops import preprocessing
from sflowgan_tf.ops.settings import EdgeSettings


class Dned(nn.Module):
    """As `networks.dned.DNED`, for sides that 16 divides."""

    def __init__(self, filters: int, convolutions: list[int]):
        super().__init__()
        widths = [filters * min(2**i, 8) for i in range(len(convolutions))]
        self.stages = nn.ModuleList()
        for before, width, count in zip([1, *widths], widths, convolutions, strict=False):
            ends = pairwise([before, *[width] * count])
            layers = [(nn.Conv2d(*pair, 3, padding=1), nn.ReLU()) for pair in ends]
            self.stages.append(nn.Sequential(*(layer for pair in layers for layer in pair)))
        self.sides = nn.ModuleList(nn.Conv2d(width, 1, 1) for width in widths)
        self.fuse = nn.Conv2d(len(widths), 1, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Edges (batch, 1, height, width) to logits (batch, 6, height, width)."""
        maps = []
        for i, (stage, side) in enumerate(zip(self.stages, self.sides, strict=True)):
            x = stage(functional.max_pool2d(x, 2) if i else x)
            maps.append(functional.interpolate(side(x), scale_factor=2**i, mode="bilinear"))
        five = torch.cat(maps, 1)
        return torch.cat([five, self.fuse(five)], 1)


def load(network: nn.Module, arrays: list[np.ndarray]) -> None:
    """Puts Keras' weights in.

    Args:
        network: whose parameters come in the order of Keras' weights.
        arrays: kernels (height, width, in, out), transposed ones (height, width, out, in); biases.

    Raises:
        ValueError: the network has another shape.
    """
    for parameter, array in zip(network.parameters(), arrays, strict=True):
        value = torch.from_numpy(array.transpose(3, 2, 0, 1) if array.ndim == 4 else array)
        if value.shape != parameter.shape:
            raise ValueError(f"expected weights {[*parameter.shape]}, got {[*value.shape]}")
        parameter.data = value.contiguous()


def channels_first(array: np.ndarray) -> torch.Tensor:
    """(height, width, channels) as a batch of one."""
    return torch.from_numpy(array).permute(2, 0, 1)[None]


class Painter:
    """What `device.tflite_model.TFLiteModel` does, the network in PyTorch."""

    def __init__(self, task: Any):
        """Builds the networks.

        Args:
            task: what `benchmarks.deployment` wrote.
        """
        self.labels, self.frames = task["labels"], task["frames"]
        self.shares = torch.from_numpy(task["weights"])[None, :, None, None]
        self.settings = json.loads(str(task["settings"]))
        torch.set_num_threads(self.settings["threads"])
        self.networks = {
            "dned": Dned(self.settings["dned"]["filters"], self.settings["convolutions"]),
            "generator": Generator(self.settings["classes"] + 1, self.settings["generator"]),
        }
        for name, network in self.networks.items():
            count = sum(key.startswith(f"{name}-") for key in task)
            load(network, [task[f"{name}-{index}"] for index in range(count)])

    @torch.inference_mode()
    def paint(self, index: int) -> np.ndarray:
        """A scene as (height, width, 3) uint8 RGB."""
        frame, label_map = self.frames[index], self.labels[index]
        settings = EdgeSettings(**self.settings["edges"])
        edges = channels_first(preprocessing.laplacian_edges(frame[None], settings, np)[0])
        labels = channels_first(preprocessing.one_hot(label_map, self.settings["classes"], np))
        maps = torch.sigmoid(self.networks["dned"](edges))
        redrawn = (maps * self.shares).sum(1, keepdim=True)
        image = self.networks["generator"](torch.cat([labels, redrawn], 1))
        return preprocessing.to_uint8(image[0].permute(1, 2, 0).numpy(), np)


def main() -> None:
    """See the module."""
    painter = Painter(np.load(sys.argv[1]))
    np.savez(sys.argv[2], *[painter.paint(index) for index in range(len(painter.labels))])
    print("ready", flush=True)
    for line in sys.stdin:
        painter.paint(int(line))
        print("painted", flush=True)


if __name__ == "__main__":
    main()
