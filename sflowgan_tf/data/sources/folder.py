"""Any simulator's export, described by one YAML; and pix2pixHD's train_A and train_B."""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError

from sflowgan_tf.data.sources.base import RawFrame, Source, ordered, pictures
from sflowgan_tf.errors import UserError
from sflowgan_tf.ops.labels import VOID, ClassTable, table

_NUMBER = re.compile(r"(\d+)(?!.*\d)")


@dataclass
class ClassRow:
    """One class of a table of your own.

    Attributes:
        id: in the label maps.
        name: for people.
        color: RGB.
        ignored: whether its pixels count as void.
    """

    id: int
    name: str
    color: list[int] = field(default_factory=lambda: [0, 0, 0])
    ignored: bool = False


@dataclass
class Description:
    """The YAML's keys; folders are relative to the YAML.

    Attributes:
        images: photos, the target of the training.
        labels: label maps, of the same names below their folder.
        cg: the simulator's frames, if they are not the photos themselves.
        table: the name of a class table, or
        classes: a table of your own.
        channel: "red" where the ids are in that channel of a label map with three.
        ordered: whether a sub-folder holds consecutive frames, the last number in a name its number.
        validation: sub-folders kept for validation; by `records.validation_fraction` otherwise.
    """

    images: str
    labels: str
    cg: str | None = None
    table: str | None = None
    classes: list[ClassRow] = field(default_factory=list)
    channel: str | None = None
    ordered: bool = True
    validation: list[str] = field(default_factory=list)


def find(root: Path, classes: str) -> Source:
    """The frames that a description names.

    Args:
        root: the YAML file, or a folder with a `folder.yaml` in it.
        classes: "own"; other tables are named in the description.

    Raises:
        UserError: no description, a wrong key or value, no frames.
    """
    file = root / "folder.yaml" if root.is_dir() else root
    told = _read(file)
    base = file.parent
    images = base / told.images
    expected = f"pictures below it, as `images` in {file} says"
    frames = [_frame(path.relative_to(images), base, told, path) for path in pictures(images)]
    return Source(ordered(frames, images, expected), _classes(told, file))


def _read(file: Path) -> Description:
    if not file.is_file():
        raise UserError(f"{file}: no such file; expected a description as datasets/README.md shows")
    try:
        merged = OmegaConf.merge(OmegaConf.structured(Description), OmegaConf.load(file))
        return OmegaConf.to_object(merged)  # type: ignore[return-value]  # the structured class
    except (OmegaConfBaseException, YAMLError) as error:
        keys = ", ".join(Description.__dataclass_fields__)
        reason = str(error).partition("\n")[0]
        raise UserError(f"{file}: {reason}; the keys are {keys}") from None


def _frame(name: Path, base: Path, told: Description, image: Path) -> RawFrame:
    number = _NUMBER.search(name.stem)
    single = not told.ordered or number is None
    folder = name.parent.as_posix()
    split = "validation" if folder in told.validation else "train"
    return RawFrame(
        sequence=name.with_suffix("").as_posix() if single else folder,
        number=0 if single else int(number[1]),  # type: ignore[index]  # single covers None
        group=name.as_posix() if single and not told.validation else folder,
        labels=_same_name(base / told.labels, name),
        image_real=image,
        image_cg=_same_name(base / told.cg, name) if told.cg else None,
        split=split if told.validation else None,
    )


def _same_name(folder: Path, name: Path) -> Path:
    """The file of that name below a folder, PNG or JPEG; where there is none, the PNG it should be."""
    candidates: list[Path] = [folder / name.with_suffix(s) for s in (".png", ".jpg", ".jpeg")]
    return next((path for path in candidates if path.is_file()), candidates[0])


def _classes(told: Description, file: Path) -> ClassTable:
    if bool(told.table) == bool(told.classes):
        raise UserError(f"{file}: expected either `table` or `classes`, one of the two")
    if told.table:
        return table(told.table)
    if told.channel not in (None, "red"):
        raise UserError(f"{file}: channel: expected red or nothing, got {told.channel!r}")
    counted = [row for row in told.classes if not row.ignored]
    index: dict[int, Any] = {row.id: i for i, row in enumerate(counted)}
    return ClassTable(
        name=file.stem,
        names=tuple(row.name for row in counted),
        colors=tuple((row.color[0], row.color[1], row.color[2]) for row in counted),
        ids={row.id: index.get(row.id, VOID) for row in told.classes},
        channel=told.channel,  # type: ignore[arg-type]  # checked above
    )
