"""The same work in PyTorch: what `torch_process` is told, and what it can't do."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from sflowgan_tf.benchmarking import machine
from sflowgan_tf.benchmarking.task import BATCHES, Task
from sflowgan_tf.config import Config
from sflowgan_tf.utils.errors import UserError


def order(config: Config, task: Task, num_classes: int, precision: str) -> dict[str, Any]:
    """What the process in PyTorch shall do.

    Args:
        config: whose networks and losses it takes.
        task: workload, size, batch and seed.
        num_classes: of the label maps.
        precision: "float32", or "mixed_bfloat16".

    Raises:
        UserError: the configuration asks for what is not built there.
    """
    _check(config, task)
    width, height = task.sides
    slices = config.perceptual.slices
    weights = config.perceptual.slice_weights or [1.0] * slices
    return {
        "workload": task.workload,
        "precision": precision,
        "threads": machine.cores(),
        "seed": task.seed,
        "batch": task.batch,
        "width": width,
        "height": height,
        "classes": num_classes,
        "boundaries": config.edge_map == "instances",
        "generator": asdict(config.generator),
        "discriminator": asdict(config.discriminator),
        "sees_edges": config.discriminator.sees_edges,
        "perceptual": bool(config.losses.perceptual),
        "filters": config.perceptual.filters,
        "slices": slices,
        "slice_weights": [weight / sum(weights) for weight in weights],
        "losses": asdict(config.losses),
        "ema_decay": config.ema_decay,
    }


def loader_order(config: Config, task: Task) -> dict[str, Any]:
    """What the process in PyTorch shall read: PNGs by Pillow, in as many processes as cores.

    Args:
        config: whose augmentation it makes.
        task: its batch and seed, and the folder of the pictures.

    Raises:
        UserError: the batches have what Pillow can't read.
    """
    if task.phase == "video" or config.edge_map == "instances":
        raise UserError(
            "--against pytorch: reads no flow and no instances, for which Pillow has no pictures; "
            "set --phase edges and another edge_map than instances"
        )
    return {
        "workload": task.workload,
        "folder": task.pictures,
        "batch": task.batch,
        "batches": BATCHES,
        "flip": config.pipeline.flip,
        "max_scale": config.pipeline.max_scale,
        "processes": machine.cores(),
        "seed": task.seed,
    }


def _check(config: Config, task: Task) -> None:
    """Refuses what `torch_process` has no networks or losses for."""
    c = config
    needed = {
        "edge_map=none": c.edge_map != "laplacian",
        "appearance.kind=none": c.appearance.kind == "none",
        "generator.kind=global": c.generator.kind == "global",
        "generator.separable=false": not c.generator.separable,
        "generator.grain=false": not c.generator.grain,
        "precision=float32": c.precision != "mixed_float16",
    }
    if task.workload == "step":
        if task.phase == "video":
            raise UserError("--against pytorch: trains no pairs of frames; choose --phase edges")
        needed |= {
            "losses.gan=lsgan": c.losses.gan == "lsgan",
            "perceptual.network=vgg19": c.perceptual.network == "vgg19",
            "perceptual.scale=1": c.perceptual.scale == 1,
            "perceptual.weights=random": c.perceptual.weights == "random",
            "discriminator.spectral_norm=false": not c.discriminator.spectral_norm,
        }
    missing = [setting for setting, is_met in needed.items() if not is_met]
    if missing:
        raise UserError(
            "--against pytorch: has pix2pixHD's networks and losses alone; set "
            f"{' '.join(missing)}, or --config cityscapes-pix2pixhd"
        )
    multiple = 2**c.generator.downsamplings
    if any(side % multiple for side in task.sides):
        raise UserError(f"--against pytorch: paints sizes that {multiple} divides, got {task.size}")
