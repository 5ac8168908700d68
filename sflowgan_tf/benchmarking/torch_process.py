"""The networks, losses and updates of pix2pixHD in PyTorch, as a process that does them when told.

It needs PyTorch alone, so it runs in an environment without TensorFlow, and neither library's
threads get in the other's way:

    python -m sflowgan_tf.benchmarking.torch_process
"""

from itertools import pairwise
from typing import Any

import torch
from torch import nn
from torch.nn import functional

from sflowgan_tf.benchmarking.serving import Work, serve

_VGG19 = (2, 2, 4, 4, 4)  # convolutions from one pooling to the next

Maps = list[torch.Tensor]


def normalised(width: int) -> list[nn.Module]:
    """What follows a convolution."""
    return [nn.InstanceNorm2d(width), nn.ReLU()]


class ResidualBlock(nn.Module):
    """As `networks.blocks.ResidualBlock`."""

    def __init__(self, width: int):
        super().__init__()
        self.stack = nn.Sequential(
            nn.ReflectionPad2d(1),
            nn.Conv2d(width, width, 3),
            *normalised(width),
            nn.ReflectionPad2d(1),
            nn.Conv2d(width, width, 3),
            nn.InstanceNorm2d(width),
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(batch, width, height, width) in and out."""
        return x + self.stack(x)


def _passed(stages: nn.ModuleList, x: torch.Tensor) -> Maps:
    """What comes out of each of some stages, which follow one another."""
    maps = []
    for stage in stages:
        x = stage(x)
        maps.append(x)
    return maps


def up(before: int, width: int, method: str) -> list[nn.Module]:
    """As `networks.blocks.Upsample`."""
    if method == "transposed":
        return [nn.ConvTranspose2d(before, width, 3, stride=2, padding=1, output_padding=1)]
    return [nn.Upsample(scale_factor=2, mode=method), nn.Conv2d(before, width, 3, padding=1)]


class Generator(nn.Module):
    """As `networks.generator.GlobalGenerator` without separable convolutions.

    Args:
        channels: of the scene.
        settings: filters, downsamplings, blocks, upsampling and skips.
    """

    def __init__(self, channels: int, settings: dict[str, Any]):
        super().__init__()
        self.skips = settings["skips"]
        widths = [settings["filters"] * 2**i for i in range(settings["downsamplings"] + 1)]
        entry = [nn.ReflectionPad2d(3), nn.Conv2d(channels, widths[0], 7), *normalised(widths[0])]
        self.down = nn.ModuleList([nn.Sequential(*entry)])
        for before, width in pairwise(widths):
            stack = [nn.Conv2d(before, width, 3, stride=2, padding=1), *normalised(width)]
            self.down.append(nn.Sequential(*stack))
        self.residuals = nn.Sequential(
            *(ResidualBlock(widths[-1]) for _ in range(settings["blocks"]))
        )
        self.up, before = nn.ModuleList(), widths[-1]
        for width in reversed(widths[:-1]):
            stack = [*up(before, width, settings["upsampling"]), *normalised(width)]
            self.up.append(nn.Sequential(*stack))
            before = width * (1 + self.skips)
        self.head = nn.Sequential(nn.ReflectionPad2d(3), nn.Conv2d(before, 3, 7), nn.Tanh())

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Scene (batch, channels, height, width) to image (batch, 3, height, width)."""
        finer = _passed(self.down, x)
        x = self.residuals(finer[-1])
        for stack, skipped in zip(self.up, finer[-2::-1], strict=True):
            x = stack(x)
            if self.skips:
                x = torch.cat([x, skipped], 1)
        return self.head(x)


class PatchGAN(nn.Module):
    """As `networks.discriminator.PatchGAN` without spectral norm."""

    def __init__(self, channels: int, filters: int, depth: int):
        super().__init__()
        widths = [filters * 2 ** min(i, 3) for i in range(depth + 1)]
        stages = [[nn.Conv2d(channels, widths[0], 4, 2, 2), nn.LeakyReLU(0.2)]]
        for index, (before, width) in enumerate(pairwise(widths)):
            stride = 2 if index < depth - 1 else 1
            convolution = nn.Conv2d(before, width, 4, stride, 2)
            stages.append([convolution, nn.InstanceNorm2d(width), nn.LeakyReLU(0.2)])
        stages.append([nn.Conv2d(widths[-1], 1, 4, 1, 2)])
        self.stages = nn.ModuleList(nn.Sequential(*stage) for stage in stages)

    def forward(self, x: torch.Tensor) -> Maps:
        """(batch, channels, height, width) to depth + 2 feature maps, the last the logits."""
        return _passed(self.stages, x)


class Discriminator(nn.Module):
    """As `networks.discriminator.Discriminator`."""

    def __init__(self, channels: int, settings: dict[str, Any]):
        super().__init__()
        shape = settings["filters"], settings["depth"]
        self.scales = nn.ModuleList(
            PatchGAN(channels, *shape) for _ in range(settings["num_scales"])
        )

    def forward(self, x: torch.Tensor) -> list[Maps]:
        """Feature maps of each scale, full size first."""
        judged = []
        for index, scale in enumerate(self.scales):
            if index:
                x = functional.avg_pool2d(x, 3, 2, 1, count_include_pad=False)
            judged.append(scale(x))
        return judged


class VGG19Features(nn.Module):
    """As `networks.vgg.VGG19Features` with random weights."""

    def __init__(self, filters: int, slices: int):
        super().__init__()
        self.stages = nn.ModuleList()
        before, layers = 3, list[nn.Module]()
        for block in range(slices):
            width = filters * min(2**block, 8)
            for index in range(_VGG19[block] if block < slices - 1 else 1):
                layers += [nn.Conv2d(before, width, 3, padding=1), nn.ReLU()]
                before = width
                if not index:  # relu1_1, relu2_1, ...
                    self.stages.append(nn.Sequential(*layers))
                    layers = []
            layers.append(nn.MaxPool2d(2))
        self.requires_grad_(False)

    def forward(self, x: torch.Tensor) -> Maps:
        """Images (batch, 3, height, width) to feature maps, finest first."""
        return _passed(self.stages, x)


class Painter:
    """A generator on scenes of noise.

    Attributes:
        networks: by their names.
    """

    def __init__(self, order: dict[str, Any]):
        """Builds it; `order` is that of `pytorch.order`."""
        torch.manual_seed(order["seed"])
        self.order, self.classes = order, order["classes"]
        shape = (order["batch"], order["height"], order["width"])
        self.labels = torch.randint(0, self.classes, shape)
        self.instances = torch.randint(0, 50, shape)
        self.image = torch.rand(shape[0], 3, *shape[1:]) * 2 - 1
        generator = Generator(self.classes + 1, order["generator"])
        self.networks: dict[str, nn.Module] = {"generator": generator}

    def scene(self) -> torch.Tensor:
        """(batch, classes + 1, height, width) float32: one-hot label map and boundaries, if any."""
        labels = functional.one_hot(self.labels, self.classes).permute(0, 3, 1, 2).float()
        return torch.cat([labels, self._boundaries()], 1)

    def _boundaries(self) -> torch.Tensor:
        edges = torch.zeros(self.labels.shape, dtype=torch.bool)
        if self.order["boundaries"]:
            ids = self.labels * (1 << 16) + self.instances
            rows, columns = ids[:, 1:] != ids[:, :-1], ids[:, :, 1:] != ids[:, :, :-1]
            edges[:, 1:] |= rows
            edges[:, :-1] |= rows
            edges[:, :, 1:] |= columns
            edges[:, :, :-1] |= columns
        return edges[:, None].float()

    @torch.inference_mode()
    def run(self) -> None:
        """Paints once."""
        self.networks["generator"](self.scene())

    def figures(self) -> dict[str, Any]:
        """As `workloads.base.Workload` has them, and PyTorch's version."""
        counts = {
            name: sum(parameter.numel() for parameter in network.parameters())
            for name, network in self.networks.items()
        }
        return {
            "items": self.order["batch"],
            "precision": self.order["precision"],
            "parameters": counts,
            "version": torch.__version__,
        }

    def profile(self) -> list[dict[str, Any]]:
        """Nothing: only our own operations are profiled."""
        return []


class Trainer(Painter):
    """pix2pixHD's training, with a moving average of the generator where ours has one."""

    def __init__(self, order: dict[str, Any]):
        """Builds networks and optimizers."""
        super().__init__(order)
        sees = self.classes + 3 + order["sees_edges"]
        self.networks["discriminator"] = Discriminator(sees, order["discriminator"])
        if order["perceptual"]:
            self.networks["features"] = VGG19Features(order["filters"], order["slices"])
        averaged = self.networks["generator"].parameters() if order["ema_decay"] else ()
        self.average = [parameter.detach().clone() for parameter in averaged]
        self.optimizers = {
            name: torch.optim.Adam(self.networks[name].parameters(), lr=2e-4, betas=(0.5, 0.999))
            for name in ("generator", "discriminator")
        }

    def _judged(self, condition: torch.Tensor, image: torch.Tensor) -> list[Maps]:
        return self.networks["discriminator"](torch.cat([condition, image], 1))

    def run(self) -> None:
        """One update of both networks, in pix2pixHD's order."""
        with torch.autocast("cpu", torch.bfloat16, enabled=self.order["precision"] != "float32"):
            scene = self.scene()
            condition = scene if self.order["sees_edges"] else scene[:, :-1]
            fake = self.networks["generator"](scene)
            of_fake = self._judged(condition, fake.detach())
            of_real = self._judged(condition, self.image)
            discriminator_loss = 0.5 * (_lsgan(of_fake, 0.0) + _lsgan(of_real, 1.0))
            generator_loss = self._generator_loss(condition, fake, of_real)
        for name, loss in (
            ("generator", generator_loss),
            ("discriminator", discriminator_loss),
        ):
            self.optimizers[name].zero_grad()
            loss.backward()
            self.optimizers[name].step()
        if self.average:
            with torch.no_grad():
                parameters = [*self.networks["generator"].parameters()]
                torch._foreach_lerp_(self.average, parameters, 1 - self.order["ema_decay"])

    def _generator_loss(
        self, condition: torch.Tensor, fake: torch.Tensor, of_real: list[Maps]
    ) -> torch.Tensor:
        weights = self.order["losses"]
        of_fake = self._judged(condition, fake)
        loss = _lsgan(of_fake, 1.0)
        if weights["feature_matching"]:
            layers = [
                (real.detach() - made).abs().mean()
                for reals, mades in zip(of_real, of_fake, strict=True)
                for real, made in zip(reals[:-1], mades[:-1], strict=True)
            ]
            loss = loss + weights["feature_matching"] * sum(layers) / len(layers)
        if self.order["perceptual"]:
            features = self.networks["features"]
            with torch.no_grad():
                reals = features(self.image)
            slices = [
                (real - made).abs().mean() / (real.abs().mean() + 1e-8)
                for real, made in zip(reals, features(fake), strict=True)
            ]
            weighted = zip(self.order["slice_weights"], slices, strict=True)
            loss = loss + weights["perceptual"] * sum(share * term for share, term in weighted)
        if weights["l1"]:
            loss = loss + weights["l1"] * (self.image - fake).abs().mean()
        return loss


def _lsgan(judged: list[Maps], target: float) -> torch.Tensor:
    terms = [(maps[-1] - target).square().mean() for maps in judged]
    return torch.stack(terms).sum()


def begin(order: dict[str, Any]) -> Work:
    """The work that `pytorch.order`, or `pytorch.loader_order`, tells."""
    if order["workload"] == "pipeline":
        from sflowgan_tf.benchmarking.torch_loader import Loader  # needs Pillow too

        return Loader(order)
    torch.set_num_threads(order["threads"])
    return Trainer(order) if order["workload"] == "step" else Painter(order)


if __name__ == "__main__":
    serve(begin)
