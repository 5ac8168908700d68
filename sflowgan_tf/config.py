"""Every setting and its default. A YAML file in configs/ says only what differs from these.

Sizes are written WIDTHxHEIGHT, as the paper writes them. Where a setting comes from the paper its
default is the paper's value; where the paper is silent the comment says whose value it is.
"""

import functools
from dataclasses import asdict, dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any, Literal

from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from sflowgan_tf.ops.settings import HED_FILTERS, EdgeSettings, Farneback
from sflowgan_tf.utils.bounds import bounded, violations
from sflowgan_tf.utils.errors import UserError, prefixed
from sflowgan_tf.utils.files import written_whole
from sflowgan_tf.utils.sizes import size
from sflowgan_tf.utils.yaml_files import first_line, read_yaml


@dataclass(frozen=True, kw_only=True)
class Preparation:
    """How `prepare` turns raw frames into TFRecords."""

    size: str = "512x256"
    classes: Literal["own", "cityscapes"] = "own"  # cityscapes: its 19 trainIds, shared by all
    edges: EdgeSettings = field(default_factory=EdgeSettings)
    flow: Farneback = field(default_factory=Farneback)
    # of the sequences, where the source has no split of its own
    validation_fraction: float = bounded(0.1, 0, 1)
    validation_sequences: list[str] = field(default_factory=list)  # by name; instead of a fraction
    # levels that a label map's colour may be away from its class'
    snap_colors: float = bounded(0.0, 0, 442)
    left_out: str = ""  # a regular expression in the photos' paths below the source
    frames_per_shard: int = bounded(128, 1)
    seed: int = bounded(0, 0)


@dataclass(frozen=True, kw_only=True)
class Minicity:
    """How much of the procedural street is drawn."""

    sequences: int = bounded(24, 1)
    frames: int = bounded(10, 1)  # of each sequence
    seed: int = bounded(0, 0)


@dataclass(frozen=True, kw_only=True)
class Pipeline:
    """How batches are read. The random scale enlarges and then crops, so nothing is padded."""

    batch_size: int = bounded(1, 1)
    crop: str | None = None  # what the networks see; the records' size by default
    flip: bool = True
    max_scale: float = bounded(1.0, 1)
    shuffle_buffer: int = bounded(512, 1)  # records


@dataclass(frozen=True, kw_only=True)
class Generator:
    """pix2pixHD's generators; pix2pix' U-Net and vid2vid's `sequential` one, to compare with.

    The last three settings count for `local_enhancer` alone, separable and skips for `global`
    alone, grain for these two; `unet` has neither blocks nor a choice of upsampling. `sequential`
    learns in phase video, of clips of four frames, to paint from what it painted before.
    """

    kind: Literal["global", "local_enhancer", "unet", "sequential"] = "global"
    filters: int = bounded(64, 2)  # of the global part; the enhancer has half as many
    downsamplings: int = bounded(4, 1)  # pix2pix: 8
    blocks: int = bounded(9, 0)
    upsampling: Literal["transposed", "nearest", "bilinear"] = "transposed"
    separable: bool = False  # depthwise and 1x1 instead of 3x3, for devices
    skips: bool = False  # from the way down to the way up, as in U-Net; not in pix2pixHD
    grain: bool = False  # noise as of a camera, which learns to be as strong; not in pix2pixHD
    enhancer_blocks: int = bounded(3, 0)
    global_run: str | None = None  # a run of kind `global` whose generator the enhancer starts from
    frozen_epochs: int = bounded(0, 0)  # for which the enhancer's global part is not trained


@dataclass(frozen=True, kw_only=True)
class Discriminator:
    """PatchGAN; one scale is enough with edges (sec. 3.2), three as in fig. 4."""

    num_scales: int = bounded(1, 1, 3)
    filters: int = bounded(64, 1)
    depth: int = bounded(3, 1)  # convolutions of stride 2
    spectral_norm: bool = False
    sees_edges: bool = False  # pix2pixHD: true, with edge_map=instances


@dataclass(frozen=True, kw_only=True)
class Appearance:
    """Colours that the generator sees beside labels and edges; not in the paper.

    `regions`: around each pixel the mean colour of its class, within cells that many pixels wide;
    in training of the real frame, later of the given one, brought to the real frames' palette.
    """

    kind: Literal["none", "regions"] = "none"
    cell: int = bounded(16, 2)  # pixels
    # names of classes whose pixels keep their own colours, such as traffic lights with their lamps
    fine: list[str] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class Dned:
    """The edge network (sec. 3.2, eq. 4)."""

    filters: int = bounded(64, 1)
    # hed: the released one (filters=64), or what learnt its maps of pictures (8 or 16)
    weights: Literal["random", "hed"] = "random"
    sees: Literal["edges", "image"] = "edges"  # d_i(E(x)) or d_i(x) in eq. 4; its target is E(x)
    trained: bool = True  # false: it stays as it starts, without eq. 4
    balanced: bool = False  # HED's class balancing
    # in training it sees pictures sharpened by up to so much, as simulators draw them
    sharpening: float = bounded(0.0, 0)
    # share of examples whose ensemble weights are drawn instead of equal
    jitter: float = bounded(0.0, 0, 1)


@dataclass(frozen=True, kw_only=True)
class Perceptual:
    """The network of eq. 6, VGG19 or the trunk of the released HED, a VGG16 that found edges.

    `weights` and `filters` count for `vgg19` alone: HED brings its weights, which have 64 filters.
    """

    network: Literal["vgg19", "hed"] = "vgg19"
    weights: str = "imagenet"  # imagenet, random, or the path of a keras.applications weights file
    scale: float = bounded(1.0, 0, 1)  # at which pictures are compared; 0.5: a quarter of the cost
    slices: int = bounded(5, 1, 5)
    slice_weights: list[float] | None = None  # equal; pix2pixHD: [.03125, .0625, .125, .25, 1]
    filters: int = bounded(64, 1)  # fewer only with random weights


@dataclass(frozen=True, kw_only=True)
class Losses:
    """The form of eq. 3 and the lambdas of eqs. 7 and 9 (pix2pixHD's where the paper is silent).

    A weight of 0 leaves its loss out.
    """

    gan: Literal["log", "lsgan", "hinge"] = "log"
    feature_matching: float = bounded(10.0, 0)
    perceptual: float = bounded(10.0, 0)
    l1: float = bounded(0.0, 0)  # pix2pix: 100; not in the paper
    dned: float = bounded(1.0, 0)
    flow: float = bounded(1.0, 0)  # in phase video, for a loss in pixels (our choice)
    # in phase video: the change along the real flow; not in the paper
    warping: float = bounded(0.0, 0)
    flow_where_consistent: bool = False  # only where the real pair's flows agree both ways


@dataclass(frozen=True, kw_only=True)
class Phases:
    """Epochs of the curriculum's phases, in their order (sec. 3.2)."""

    edges: int = bounded(100, 0)  # the generator sees Laplacian edges; the DNED learns beside it
    dned: int = bounded(100, 0)  # the generator sees the DNED's edges; all are trained together
    video: int = bounded(0, 0)  # pairs of frames and the flow loss; needs records of sequences


@dataclass(frozen=True, kw_only=True)
class Optimizer:
    """Adam, for each of the three networks (pix2pixHD)."""

    learning_rate: float = bounded(2e-4, 0)
    beta_1: float = bounded(0.5, 0, 1)
    beta_2: float = bounded(0.999, 0, 1)
    constant_share: float = bounded(0.5, 0, 1)  # of all steps; the rate then falls linearly to 0
    # batches whose mean gradient makes one update: one of many frames, in the memory of few
    accumulation: int = bounded(1, 1)


@dataclass(frozen=True, kw_only=True)
class Segmenter:
    """The PSPNet that scores pictures; its paper's values, the rate that of mmsegmentation's.

    `small` is a variant for small frames; weights, units and auxiliary are `pspnet`'s alone.
    """

    kind: Literal["pspnet", "small"] = "pspnet"
    weights: str = "imagenet"  # of its trunk: imagenet, random, or a file of keras.applications
    filters: int = bounded(64, 2)
    units: list[int] = bounded([3, 4, 6, 3], 1)  # ResNet-50; else random weights
    auxiliary: float = bounded(0.4, 0)  # weight of the loss on stage 4
    # a class weighs its share of the pixels to the power of minus this
    class_balance: float = bounded(0.0, 0, 1)
    epochs: int = bounded(100, 0)
    optimizer: Literal["sgd", "adam"] = "sgd"
    learning_rate: float = bounded(1e-2, 0)  # falls to 0 with the power 0.9 of what is left
    momentum: float = bounded(0.9, 0, 1)  # of sgd
    weight_decay: float = bounded(1e-4, 0)
    pipeline: Pipeline = field(default_factory=lambda: Pipeline(batch_size=4, max_scale=2.0))


@dataclass(frozen=True, kw_only=True)
class Config:
    """One run, whole."""

    task: Literal["translation", "segmentation"] = "translation"  # fit's or segment's
    dataset: str = "minicity"
    records: Preparation = field(default_factory=Preparation)
    minicity: Minicity = field(default_factory=Minicity)
    pipeline: Pipeline = field(default_factory=Pipeline)
    generator: Generator = field(default_factory=Generator)
    discriminator: Discriminator = field(default_factory=Discriminator)
    dned: Dned = field(default_factory=Dned)
    appearance: Appearance = field(default_factory=Appearance)
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
    jit_compile: bool = False  # XLA; slower on a CPU, and without deterministic kernels
    # of the generator's moving average, from which pictures are made; with 0 there is none, and the
    # generator itself paints
    ema_decay: float = bounded(0.999, 0, 1)
    samples: int = bounded(4, 1)  # validation frames on each epoch's sheet
    log_steps: int = bounded(20, 1)  # between two points of a TensorBoard curve
    # between two checkpoints; one is written after each epoch too
    checkpoint_steps: int = bounded(500, 1)
    seed: int = bounded(0, 0)


def folder() -> Path:
    """Where the configurations lie: beside the package in a checkout, inside it once installed."""
    package = Path(str(resources.files("sflowgan_tf")))
    return next(path for path in (package / "configs", package.parent / "configs") if path.is_dir())


def available() -> list[str]:
    """The names of the configurations that come with the package."""
    return sorted(path.stem for path in folder().glob("*.yaml"))


def load(
    dataset: str, file: Path | None = None, overrides: list[str] | None = None, **flagged: Any
) -> Config:
    """Defaults, then the YAML file, then `key=value` overrides, then what flags say.

    Args:
        dataset: its name; without `file`, configs/<dataset>.yaml is read.
        file: another YAML file, or the name of one that comes with the package.
        overrides: such as ["generator.filters=32"].
        **flagged: values of the first level's keys; None where a flag was not used.

    Raises:
        UserError: no such file; an unknown key, or a value of the wrong type.
    """
    path = _find(dataset, file)
    with prefixed("configuration "):
        file_layer = read_yaml(path)
    try:
        layers = [file_layer, OmegaConf.from_dotlist(overrides or [])]
        values = {key: value for key, value in flagged.items() if value is not None}
        config = _merged(*layers, {"dataset": dataset, **values})
    except (OmegaConfBaseException, TypeError) as error:
        raise UserError(f"configuration {path}: {first_line(error)}") from None
    _check_ranges(config)
    _check_together(config)
    return config


def _check_ranges(config: Config) -> None:
    """What a type can't say of one setting."""
    for violation in violations(config):
        raise UserError(violation)


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
    _check_perceptual(config)
    _check_dned(config)
    if config.generator.skips and config.generator.kind != "global":
        raise UserError(
            f"generator.skips=true: needs generator.kind=global, got {config.generator.kind}"
        )
    if config.generator.grain and config.generator.kind not in ("global", "local_enhancer"):
        raise UserError(
            "generator.grain=true: needs generator.kind=global or local_enhancer, got "
            f"{config.generator.kind}; set generator.grain=false"
        )
    enhancer_only = config.generator.frozen_epochs or config.generator.global_run
    if config.generator.kind != "local_enhancer" and enhancer_only:
        raise UserError(
            "generator.frozen_epochs and generator.global_run are for generator.kind=local_enhancer"
        )
    kind, upsampling = config.generator.kind, config.generator.upsampling
    if config.generator.separable and (kind != "global" or upsampling == "transposed"):
        raise UserError(
            "generator.separable=true: needs generator.kind=global and generator.upsampling="
            f"bilinear or nearest, got {kind} and {upsampling}"
        )
    if kind == "sequential" and config.appearance.kind != "none":
        raise UserError(
            f"generator.kind=sequential: sees no colours; set appearance.kind=none, not "
            f"{config.appearance.kind}"
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


def _check_perceptual(config: Config) -> None:
    perceptual, default = config.perceptual, Perceptual()
    if perceptual.network == "hed":
        for name in ("weights", "filters"):
            value, usual = getattr(perceptual, name), getattr(default, name)
            if value != usual:
                raise UserError(
                    f"perceptual.{name}={value}: is for perceptual.network=vgg19; HED brings its "
                    f"own, so set perceptual.{name}={usual} or leave it out"
                )
    sides = size(config.pipeline.crop or config.records.size, "size")
    fewest = 2 ** (perceptual.slices - 1)
    if config.losses.perceptual and perceptual.scale < 1 and min(sides) * perceptual.scale < fewest:
        raise UserError(
            f"perceptual.scale={perceptual.scale:g}: leaves less than {fewest} pixels of a side of "
            f"{min(sides)}, too few for perceptual.slices={perceptual.slices}; set a larger scale "
            "or fewer slices"
        )


def _check_dned(config: Config) -> None:
    dned, default = config.dned, Dned()
    if config.edge_map != "laplacian":
        names = [
            name
            for name in ("sees", "weights", "trained", "sharpening")
            if getattr(dned, name) != getattr(default, name)
        ]
        if names:
            first, *_ = (f"dned.{name}={getattr(dned, name)}".lower() for name in names)
            usual = (f"dned.{name}={getattr(default, name)}".lower() for name in names)
            raise UserError(
                f"{first}: needs edge_map=laplacian; with edge_map={config.edge_map} there is no "
                f"DNED, so set {' '.join(usual)}"
            )
    if dned.weights == "hed" and dned.filters not in HED_FILTERS:
        choices = ", ".join(map(str, HED_FILTERS))
        raise UserError(
            f"dned.filters={dned.filters}: dned.weights=hed has weights for {choices}; set one of "
            "them, or dned.weights=random"
        )
    if dned.weights == "hed" and dned.filters != 64 and dned.sees == "edges":
        raise UserError(
            f"dned.filters={dned.filters}: its weights of HED are for pictures; set "
            "dned.sees=image, or dned.filters=64"
        )
    if dned.sharpening and dned.sees == "edges" and config.edge_map == "laplacian":
        raise UserError(
            f"dned.sharpening={dned.sharpening:g}: is for a DNED that sees pictures; set "
            "dned.sees=image, or dned.sharpening=0"
        )
    if not dned.trained and dned.weights == "random" and config.start_run is None:
        raise UserError(
            "dned.trained=false: a DNED of random weights finds no edges; set dned.weights=hed, or "
            "dned.trained=true, or start from a run whose DNED is trained (--from)"
        )
    if not dned.trained and dned.balanced:
        raise UserError(
            "dned.balanced=true: weighs eq. 4, which dned.trained=false leaves out; leave one of "
            "them out"
        )


def _merged(*layers: Any) -> Config:
    """The defaults with `layers` over them."""
    return OmegaConf.to_object(OmegaConf.merge(_defaults(), *layers))  # type: ignore[return-value]


@functools.cache
def _defaults() -> DictConfig:
    """To merge with, never changed; OmegaConf locks frozen classes at each level."""
    defaults = OmegaConf.structured(Config)
    _unlock(defaults)
    return defaults


def _unlock(node: Any) -> None:
    OmegaConf.set_readonly(node, False)
    for key in node if isinstance(node, DictConfig) else ():
        if isinstance(node._get_node(key), DictConfig):
            _unlock(node[key])


def _find(dataset: str, file: Path | None) -> Path:
    if file is not None:
        candidates = [file, folder() / f"{file.stem}.yaml"]
    else:
        candidates = [folder() / f"{dataset}.yaml"]
    for path in candidates:
        if path.is_file():
            return path
    hint = "--config FILE" if file is None else "an existing file"
    raise UserError(
        f"no configuration {candidates[0]}: expected {hint} or one of {', '.join(available())}"
    )


def save(config: Config, file: Path) -> None:
    """Writes the whole configuration, defaults too, as YAML."""
    with written_whole(file) as partial:
        partial.write_text(OmegaConf.to_yaml(OmegaConf.structured(config)))


def read(file: Path) -> Config:
    """What `save` wrote."""
    try:
        return _merged(read_yaml(file))
    except OmegaConfBaseException as error:
        raise UserError(
            f"{file}: {first_line(error)}; was it written by another version?"
        ) from None


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
