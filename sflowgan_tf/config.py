"""Every setting and its default. A YAML file in configs/ says only what differs from these.

Sizes are written WIDTHxHEIGHT, as the paper writes them. Where a setting comes from the paper its
default is the paper's value; where the paper is silent the comment says whose value it is.
"""

from dataclasses import asdict, dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any, Literal

from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError

from sflowgan_tf.utils.errors import UserError
from sflowgan_tf.utils.files import written_whole


@dataclass(frozen=True, kw_only=True)
class Edges:
    """E(.), the deterministic edge map (sec. 3.2)."""

    threshold: float = 60.0  # of |Laplacian|, grey levels 0 to 255
    blur: float = 0.0  # sigma of a Gaussian before it, pixels; 0 is none


@dataclass(frozen=True, kw_only=True)
class Flow:
    """F(.), dense Farneback flow (sec. 3.3), by OpenCV's names; its tutorial's values."""

    pyr_scale: float = 0.5
    levels: int = 3
    winsize: int = 15
    iterations: int = 3
    poly_n: int = 5
    poly_sigma: float = 1.2
    gaussian: bool = False  # window instead of a box: smoother, slower in OpenCV


@dataclass(frozen=True, kw_only=True)
class Records:
    """How `prepare` turns raw frames into TFRecords."""

    size: str = "512x256"
    classes: Literal["own", "cityscapes"] = "own"  # cityscapes: its 19 trainIds, shared by all
    edges: Edges = field(default_factory=Edges)
    flow: Flow = field(default_factory=Flow)
    validation_fraction: float = 0.1  # of the sequences, where the source has no split of its own
    validation_sequences: list[str] = field(default_factory=list)  # by name; instead of a fraction
    frames_per_shard: int = 128
    seed: int = 0


@dataclass(frozen=True, kw_only=True)
class Minicity:
    """How much of the procedural street is drawn."""

    sequences: int = 24
    frames: int = 10  # of each sequence
    seed: int = 0


@dataclass(frozen=True, kw_only=True)
class Pipeline:
    """How batches are read. The random scale enlarges and then crops, so nothing is padded."""

    batch_size: int = 1
    crop: str | None = None  # what the networks see; the records' size by default
    flip: bool = True
    max_scale: float = 1.0
    shuffle_buffer: int = 512  # records


@dataclass(frozen=True, kw_only=True)
class Generator:
    """pix2pixHD's generators, and pix2pix' U-Net, to compare with.

    The last three settings count for `local_enhancer` alone, separable and skips for `global`
    alone; `unet` has neither blocks nor a choice of upsampling.
    """

    kind: Literal["global", "local_enhancer", "unet"] = "global"
    filters: int = 64  # of the global part; the enhancer has half as many
    downsamplings: int = 4  # pix2pix: 8
    blocks: int = 9
    upsampling: Literal["transposed", "nearest"] = "transposed"
    separable: bool = False  # depthwise and 1x1 instead of 3x3, for devices; upsampling=nearest
    skips: bool = False  # from the way down to the way up, as in U-Net; not in pix2pixHD
    enhancer_blocks: int = 3
    global_run: str | None = None  # a run of kind `global` whose generator the enhancer starts from
    frozen_epochs: int = 0  # for which the enhancer's global part is not trained


@dataclass(frozen=True, kw_only=True)
class Discriminator:
    """PatchGAN; one scale is enough with edges (sec. 3.2), three as in fig. 4."""

    num_scales: int = 1
    filters: int = 64
    depth: int = 3  # convolutions of stride 2
    spectral_norm: bool = False
    sees_edges: bool = False  # pix2pixHD: true, with edge_map=instances


@dataclass(frozen=True, kw_only=True)
class Dned:
    """The edge network (sec. 3.2, eq. 4)."""

    filters: int = 64
    balanced: bool = False  # HED's class balancing
    jitter: float = 0.0  # share of examples whose ensemble weights are drawn instead of equal


@dataclass(frozen=True, kw_only=True)
class Perceptual:
    """The VGG19 of eq. 6."""

    weights: str = "imagenet"  # imagenet, random, or the path of a keras.applications weights file
    slices: int = 5
    slice_weights: list[float] | None = None  # equal; pix2pixHD: [.03125, .0625, .125, .25, 1]
    filters: int = 64  # fewer only with random weights


@dataclass(frozen=True, kw_only=True)
class Losses:
    """The form of eq. 3 and the lambdas of eqs. 7 and 9 (pix2pixHD's where the paper is silent).

    A weight of 0 leaves its loss out.
    """

    gan: Literal["log", "lsgan", "hinge"] = "log"
    feature_matching: float = 10.0
    perceptual: float = 10.0
    l1: float = 0.0  # pix2pix: 100; not in the paper
    dned: float = 1.0
    flow: float = 1.0  # in phase video, for a loss in pixels (our choice)
    warping: float = 0.0  # in phase video: the change along the real flow; not in the paper
    flow_where_consistent: bool = False  # only where the real pair's flows agree both ways


@dataclass(frozen=True, kw_only=True)
class Phases:
    """Epochs of the curriculum's phases, in their order (sec. 3.2)."""

    edges: int = 100  # the generator sees Laplacian edges; the DNED learns beside it
    dned: int = 100  # the generator sees the DNED's edges; all are trained together
    video: int = 0  # pairs of frames and the flow loss; needs records of sequences


@dataclass(frozen=True, kw_only=True)
class Optimizer:
    """Adam, for each of the three networks (pix2pixHD)."""

    learning_rate: float = 2e-4
    beta_1: float = 0.5
    beta_2: float = 0.999
    constant_share: float = 0.5  # of all steps; the rate then falls linearly to 0


@dataclass(frozen=True, kw_only=True)
class Segmenter:
    """The PSPNet that scores pictures; its paper's values, the rate that of mmsegmentation's.

    `small` is a variant for small frames; weights, units and auxiliary are `pspnet`'s alone.
    """

    kind: Literal["pspnet", "small"] = "pspnet"
    weights: str = "imagenet"  # of its trunk: imagenet, random, or a file of keras.applications
    filters: int = 64
    units: list[int] = field(default_factory=lambda: [3, 4, 6, 3])  # ResNet-50; else random weights
    auxiliary: float = 0.4  # weight of the loss on stage 4
    class_balance: float = 0.0  # a class weighs its share of the pixels to the power of minus this
    epochs: int = 100
    optimizer: Literal["sgd", "adam"] = "sgd"
    learning_rate: float = 1e-2  # falls to 0 with the power 0.9 of what is left
    momentum: float = 0.9  # of sgd
    weight_decay: float = 1e-4
    pipeline: Pipeline = field(default_factory=lambda: Pipeline(batch_size=4, max_scale=2.0))


@dataclass(frozen=True, kw_only=True)
class Config:
    """One run, whole."""

    task: Literal["translation", "segmentation"] = "translation"  # fit's or segment's
    dataset: str = "minicity"
    records: Records = field(default_factory=Records)
    minicity: Minicity = field(default_factory=Minicity)
    pipeline: Pipeline = field(default_factory=Pipeline)
    generator: Generator = field(default_factory=Generator)
    discriminator: Discriminator = field(default_factory=Discriminator)
    dned: Dned = field(default_factory=Dned)
    perceptual: Perceptual = field(default_factory=Perceptual)
    losses: Losses = field(default_factory=Losses)
    phases: Phases = field(default_factory=Phases)
    optimizer: Optimizer = field(default_factory=Optimizer)
    segmenter: Segmenter = field(default_factory=Segmenter)
    # what the generator sees beside the labels; pix2pixHD's instance boundaries or nothing at all
    # are there to compare with, and leave out the DNED
    edge_map: Literal["laplacian", "instances", "none"] = "laplacian"
    start_run: str | None = None  # a run whose networks this one starts from; --from for short
    precision: Literal["float32", "mixed_bfloat16", "mixed_float16"] = "float32"
    jit_compile: bool = False  # XLA; slower on a CPU
    ema_decay: float = 0.999  # of the generator's moving average, from which pictures are made
    samples: int = 4  # validation frames on each epoch's sheet
    log_steps: int = 20  # between two points of a TensorBoard curve
    checkpoint_steps: int = 500  # between two checkpoints; one is written after each epoch too
    seed: int = 0


_LEAST = {
    "records.frames_per_shard": 1,
    "records.validation_fraction": 0,
    "records.seed": 0,
    "records.edges.blur": 0,
    "records.flow.pyr_scale": 0.1,
    "records.flow.levels": 0,
    "records.flow.winsize": 2,
    "records.flow.iterations": 1,
    "records.flow.poly_n": 1,
    "records.flow.poly_sigma": 0.3,
    "minicity.sequences": 1,
    "minicity.frames": 1,
    "minicity.seed": 0,
    "pipeline.batch_size": 1,
    "pipeline.max_scale": 1,
    "pipeline.shuffle_buffer": 1,
    "generator.filters": 2,
    "generator.downsamplings": 1,
    "generator.blocks": 0,
    "generator.enhancer_blocks": 0,
    "generator.frozen_epochs": 0,
    "discriminator.num_scales": 1,
    "discriminator.filters": 1,
    "discriminator.depth": 1,
    "dned.filters": 1,
    "dned.jitter": 0,
    "perceptual.filters": 1,
    "losses.feature_matching": 0,
    "losses.perceptual": 0,
    "losses.l1": 0,
    "losses.dned": 0,
    "losses.flow": 0,
    "losses.warping": 0,
    "phases.edges": 0,
    "phases.dned": 0,
    "phases.video": 0,
    "segmenter.filters": 2,
    "segmenter.auxiliary": 0,
    "segmenter.class_balance": 0,
    "segmenter.epochs": 0,
    "segmenter.learning_rate": 0,
    "segmenter.momentum": 0,
    "segmenter.weight_decay": 0,
    "segmenter.pipeline.batch_size": 1,
    "segmenter.pipeline.max_scale": 1,
    "segmenter.pipeline.shuffle_buffer": 1,
    "optimizer.learning_rate": 0,
    "optimizer.beta_1": 0,
    "optimizer.beta_2": 0,
    "optimizer.constant_share": 0,
    "ema_decay": 0,
    "samples": 1,
    "log_steps": 1,
    "checkpoint_steps": 1,
    "seed": 0,
}
_MOST = {
    "records.validation_fraction": 1,
    "records.flow.pyr_scale": 0.95,
    "discriminator.num_scales": 3,
    "dned.jitter": 1,
    "perceptual.slices": 5,
    "optimizer.beta_1": 1,
    "optimizer.beta_2": 1,
    "optimizer.constant_share": 1,
    "segmenter.class_balance": 1,
    "segmenter.momentum": 1,
    "ema_decay": 1,
}


def size(text: str, name: str = "size") -> tuple[int, int]:
    """(width, height) of a text such as "512x256"; UserError names the argument otherwise."""
    width, times, height = text.partition("x")
    if not (times and width.isdigit() and height.isdigit() and min(int(width), int(height)) > 1):
        raise UserError(
            f"{name}: expected WIDTHxHEIGHT such as 512x256, both 2 or more, got {text!r}"
        )
    return int(width), int(height)


def folder() -> Path:
    """Where the configurations lie: beside the package in a checkout, inside it once installed."""
    package = Path(str(resources.files("sflowgan_tf")))
    return next(path for path in (package / "configs", package.parent / "configs") if path.is_dir())


def available() -> list[str]:
    """The names of the configurations that come with the package."""
    return sorted(path.stem for path in folder().glob("*.yaml"))


def load(dataset: str, file: Path | None = None, overrides: list[str] | None = None) -> Config:
    """Defaults, then the YAML file, then `key=value` overrides.

    Args:
        dataset: its name; without `file`, configs/<dataset>.yaml is read.
        file: another YAML file, or the name of one that comes with the package.
        overrides: such as ["generator.filters=32"].

    Raises:
        UserError: no such file; an unknown key, or a value of the wrong type.
    """
    path = _find(dataset, file)
    try:
        layers = [OmegaConf.load(path), OmegaConf.from_dotlist(overrides or [])]
        config = _merged(*layers, {"dataset": dataset})
    except (OmegaConfBaseException, YAMLError, UnicodeDecodeError, TypeError) as error:
        raise UserError(f"configuration {path}: {_one_line(error)}") from None
    _check_ranges(config)
    _check_together(config)
    return config


def _check_ranges(config: Config) -> None:
    """What a type can't say of one setting."""
    values = _flat(asdict(config))
    for key, bound in _LEAST.items():
        if not values[key] >= bound:  # nor not a number
            raise UserError(f"{key}={values[key]}: expected {bound} or more")
    for key, bound in _MOST.items():
        if not values[key] <= bound:
            raise UserError(f"{key}={values[key]}: expected {bound} or less")


def _check_together(config: Config) -> None:
    """What settings ask of each other."""
    if not any(asdict(config.phases).values()):
        raise UserError("phases.edges, phases.dned, phases.video: all 0; expected epochs of one")
    weights = config.perceptual.slice_weights
    if weights is not None and len(weights) != config.perceptual.slices:
        raise UserError(
            f"perceptual.slice_weights has {len(weights)} values; expected "
            f"{config.perceptual.slices}, as many as perceptual.slices"
        )
    if weights is not None and not (min(weights) >= 0 and 0 < sum(weights) < float("inf")):
        raise UserError(
            f"perceptual.slice_weights={weights}: expected numbers from 0 on, not all of them 0"
        )
    if config.generator.skips and config.generator.kind != "global":
        raise UserError(
            f"generator.skips=true: needs generator.kind=global, got {config.generator.kind}"
        )
    enhancer_only = config.generator.frozen_epochs or config.generator.global_run
    if config.generator.kind != "local_enhancer" and enhancer_only:
        raise UserError(
            "generator.frozen_epochs and generator.global_run are for generator.kind=local_enhancer"
        )
    shape = (config.generator.kind, config.generator.upsampling)
    if config.generator.separable and shape != ("global", "nearest"):
        raise UserError(
            "generator.separable=true: needs generator.kind=global and generator.upsampling="
            f"nearest, got {' and '.join(shape)}"
        )
    if config.edge_map == "none" and config.discriminator.sees_edges:
        raise UserError(
            "discriminator.sees_edges=true: there are no edges with edge_map=none; set one of them "
            "otherwise"
        )
    if config.edge_map == "instances" and config.phases.video:
        raise UserError(
            f"phases.video={config.phases.video}: phase video is not made for edge_map=instances; "
            "set phases.video=0, or another edge_map"
        )


def _merged(*layers: Any) -> Config:
    """The defaults with `layers` over them; OmegaConf locks frozen classes at each level."""
    defaults = OmegaConf.structured(Config)
    _unlock(defaults)
    return OmegaConf.to_object(OmegaConf.merge(defaults, *layers))  # type: ignore[return-value]


def _unlock(node: Any) -> None:
    OmegaConf.set_readonly(node, False)
    for key in node if isinstance(node, DictConfig) else ():
        if isinstance(node._get_node(key), DictConfig):
            _unlock(node[key])


def _find(dataset: str, file: Path | None) -> Path:
    if file is not None:
        candidates = [file, folder() / file.with_suffix(".yaml").name]
    else:
        candidates = [folder() / f"{dataset}.yaml"]
    for path in candidates:
        if path.is_file():
            return path
    hint = "--config FILE" if file is None else "an existing file"
    raise UserError(
        f"no configuration {candidates[0]}: expected {hint} or one of {', '.join(available())}"
    )


def _one_line(error: Exception) -> str:
    key = getattr(error, "full_key", None)
    first = str(error).partition("\n")[0]
    return f"{key}: {first}" if key else first


def save(config: Config, file: Path) -> None:
    """Writes the whole configuration, defaults too, as YAML."""
    with written_whole(file) as partial:
        partial.write_text(OmegaConf.to_yaml(OmegaConf.structured(config)))


def read(file: Path) -> Config:
    """What `save` wrote."""
    try:
        return _merged(OmegaConf.load(file))
    except (OmegaConfBaseException, YAMLError) as error:
        raise UserError(f"{file}: {_one_line(error)}; was it written by another version?") from None


def differences(one: Config, other: Config) -> list[str]:
    """The keys on which two configurations differ, as "key: one -> other"."""
    flat_one, flat_other = _flat(asdict(one)), _flat(asdict(other))
    return [
        f"{key}: {flat_one[key]} -> {flat_other[key]}"
        for key in flat_one
        if flat_one[key] != flat_other[key]
    ]


def _flat(tree: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in tree.items():
        name = f"{prefix}{key}"
        flat |= _flat(value, f"{name}.") if isinstance(value, dict) else {name: value}
    return flat
