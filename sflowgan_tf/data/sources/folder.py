"""Any simulator's export, described by one YAML; and pix2pixHD's train_A and train_B."""

import re
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path, PurePosixPath
from typing import Any

from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from sflowgan_tf.data.media.pictures import SUFFIXES, pictures
from sflowgan_tf.data.sources.base import RawFrame, Source, ordered
from sflowgan_tf.data.sources.own_classes import ClassRow, own_table
from sflowgan_tf.ops.classes import TABLES, ClassTable, onto
from sflowgan_tf.utils.errors import UserError, prefixed
from sflowgan_tf.utils.listing import files_below, normal_name
from sflowgan_tf.utils.yaml_files import first_line, read_yaml

_SEQUENCE = r"(?P<sequence>.*?)[/_-]*(?P<number>\d+)"
_ANY = "**/*.*"
_TREES = (("A", "B"), ("label", "img"))


@dataclass
class Folders:
    """Where pictures lie: each a folder, or a glob whose wildcards match alike in all of them.

    Attributes:
        images: photos, the target of the training.
        labels: label maps.
        cg: the simulator's frames, if they are not the photos themselves.
        instances: PNGs of `data.media.pictures.read_instances`, if there are any.
        ordered: false where no two pictures are consecutive; of `validation` it is the
            description's where it is not said, of the description true.
    """

    images: str
    labels: str
    cg: str | None = None
    instances: str | None = None
    ordered: bool | None = None


@dataclass
class Description(Folders):
    """The YAML's keys; folders are relative to the YAML.

    Attributes:
        validation: folders of the validation frames; without them `prepare` chooses.
        table: the name of a class table, or
        classes: a table of your own.
        channel: "red" where the ids are in that channel of a label map with three; for `classes`.
        coding: "ids" or "colors" of the label maps, where they could be read as both.
        sequence: a regular expression that matches a picture's whole name (its path below the
            folder without suffix, or what a glob's wildcards matched, joined by /) with the groups
            `sequence` and `number`; n and n + 1 are consecutive frames, or n and n + 5 where all
            numbers are that far apart. By default the last digits are the number. A name that does
            not match is no part of a sequence. With a group `group` too, sequences of one group, as
            of a car's cameras, are never divided between training and validation.
    """

    validation: Folders | None = None
    table: str | None = None
    classes: list[ClassRow] = field(default_factory=list)
    channel: str | None = None
    coding: str | None = None
    sequence: str = _SEQUENCE


def find(root: Path, classes: str) -> Source:
    """The frames that a description names.

    Args:
        root: the YAML file; or a folder with a `folder.yaml` in it; or one laid out for pix2pixHD,
            whose label maps are read as Cityscapes' labelIds.
        classes: "own", or "cityscapes" where the description names a table that can be read so.

    Raises:
        UserError: no description, a wrong key or value, no frames.
    """
    file = root / "folder.yaml" if root.is_dir() else root
    description = _recognized(root) or _read(file)
    first = "train" if description.validation else None
    frames, alone = _frames(description, description, file.parent, first)
    if description.validation:
        others = _frames(description.validation, description, file.parent, "validation")
        frames, alone = frames + others[0], alone + others[1]
    used = {frame.labels for frame in frames}  # parts may share a folder of label maps
    frames += [frame for frame in alone if frame.labels not in used]
    expected = f"PNG or JPEG pictures as `images` in {file} says: {description.images}"
    return Source(ordered(frames, file.parent, expected), _classes(description, file, classes))


def class_table(file: Path) -> ClassTable:
    """The class table of a description, whatever else it says.

    Raises:
        UserError: it can't be read, or its classes are wrong.
    """
    return _classes(_read(file, images="", labels=""), file, "own")


def chosen_classes(choice: str | None) -> ClassTable | str | None:
    """What a flag --classes says: a table's name, or a YAML file's classes, as `class_table`.

    Raises:
        UserError: it is neither; or as `class_table`.
    """
    if choice is None or choice in TABLES:
        return choice
    if not Path(choice).is_file():
        raise UserError(
            f"--classes {choice}: is neither a class table ({', '.join(TABLES)}) nor a YAML file"
        )
    with prefixed("--classes "):
        return class_table(Path(choice))


def _recognized(root: Path) -> Description | None:
    for names in _TREES:
        train, test = (_part(root, part, *names) for part in ("train", "test"))
        if train is not None:
            folders = asdict(replace(train, ordered=False))
            return Description(**folders, validation=test, table="cityscapes")
    return None


def _part(root: Path, part: str, labels: str, images: str) -> Folders | None:
    """The folders of one part of pix2pixHD's tree, if it is there."""
    labels, images, instances = (f"{part}_{name}" for name in (labels, images, "inst"))
    if not ((root / labels).is_dir() and (root / images).is_dir()):
        return None
    return Folders(images, labels, instances=instances if (root / instances).is_dir() else None)


def _read(file: Path, **given: str) -> Description:
    """The description in a YAML file, with the keys of `given` where it lacks them."""
    if not file.is_file():
        raise UserError(f"{file}: no such file; expected a description as datasets/README.md shows")
    try:
        merged = OmegaConf.merge(OmegaConf.structured(Description), given, read_yaml(file))
        description: Any = OmegaConf.to_object(merged)
        groups = re.compile(description.sequence).groupindex
    except (OmegaConfBaseException, TypeError, ValueError, re.error) as error:
        keys = ", ".join(key.name for key in fields(Description))
        raise UserError(f"{file}: {first_line(error)}; the keys are {keys}") from None
    if not {"sequence", "number"} <= groups.keys():
        raise UserError(
            f"{file}: sequence: expected a regular expression with the groups "
            f"(?P<sequence>...) and (?P<number>...), got {description.sequence!r}"
        )
    return description


def _frames(
    folders: Folders, description: Description, base: Path, split: str | None
) -> tuple[list[RawFrame], list[RawFrame]]:
    """The frames of a part, one for each photo; and those of label maps that have no photo."""
    images = _named(base, folders.images)
    beside = {"labels": folders.labels, "image_cg": folders.cg, "instances": folders.instances}
    named = {kind: (where, _named(base, where)) for kind, where in beside.items() if where}

    def frame(name: str) -> RawFrame:
        return RawFrame(
            image_real=images.get(name, _missing(base, folders.images, name)),
            split=split,
            **{
                kind: files.get(name, _missing(base, where, name))
                for kind, (where, files) in named.items()
            },
            **_place(name, description, folders),
        )

    _, maps = named["labels"]
    alone = [name for name in maps if name not in images] if images else []
    return [frame(name) for name in images], [frame(name) for name in alone]


def _place(name: str, description: Description, folders: Folders) -> dict[str, Any]:
    """Sequence, number and group; a sequence's name begins with the images' folder."""
    said = (folders.ordered, description.ordered)
    is_ordered = next((ordered for ordered in said if ordered is not None), True)
    match = re.fullmatch(description.sequence, name) if is_ordered else None
    told = {"sequence": name, "number": "0"} if match is None else match.groupdict()
    folder, _ = _split_glob(folders.images)
    sequence, group = (
        "/".join(part for part in (folder, named) if part)
        for named in (told["sequence"], told.get("group") or told["sequence"])
    )
    return {"sequence": sequence, "number": _number(told["number"], name), "group": group}


def _number(text: str | None, name: str) -> int:
    try:
        return int(text or "")
    except ValueError:
        raise UserError(
            f"sequence: in {name!r} the group `number` matches {text!r}; expected digits"
        ) from None


def _named(base: Path, where: str) -> dict[str, Path]:
    """Pictures by what the wildcards matched; of a plain folder, by their path without suffix."""
    folder, pattern = _split_glob(where)
    is_any = pattern == _ANY
    pattern, ending = _split_ending(normal_name(PurePosixPath(pattern)))
    wildcards = {"**/": "(?:(.*)/)?", "*": "([^/]*)", _ANY: r"(?:(.*)/)?([^/]*)\.[^.]*"}
    split = [_ANY] if is_any else re.split(r"(\*\*/|\*)", pattern)
    expression = "".join(wildcards.get(part, re.escape(part)) for part in split)
    expression += f"(?i:{re.escape(ending)})"
    named: dict[str, Path] = {}
    files = pictures(base / folder) if is_any else files_below(base / folder, SUFFIXES)
    for path in files:
        name = normal_name(path.relative_to(base / folder))
        match = re.fullmatch(expression, name, re.DOTALL)
        if match:
            other = named.setdefault("/".join(part for part in match.groups() if part), path)
            if other != path:
                raise UserError(
                    f"{path}: {other} has the same name; expected one file of a name: take one "
                    f"away, or name one kind, as '**/*{path.suffix}' below the folder"
                )
    return named


def _split_ending(pattern: str) -> tuple[str, str]:
    """A glob before its pictures' ending, and that ending, if it has one."""
    ending = next((suffix for suffix in SUFFIXES if pattern.lower().endswith(suffix)), "")
    return pattern[: len(pattern) - len(ending)], ending


def _split_glob(where: str) -> tuple[str, str]:
    """The folder that a glob begins with, and the rest."""
    parts = where.rstrip("/").split("/")
    fixed = next((index for index, part in enumerate(parts) if "*" in part), len(parts))
    return "/".join(parts[:fixed]), "/".join(parts[fixed:]) or _ANY


def _missing(base: Path, where: str, name: str) -> Path:
    """Where a picture was looked for."""
    return base / f"{where} for {name}" if "*" in where else base / where / f"{name}.png"


def _classes(description: Description, file: Path, classes: str) -> ClassTable:
    if bool(description.table) == bool(description.classes):
        raise UserError(f"{file}: expected either `table` or `classes`, one of the two")
    if description.coding not in (None, "ids", "colors"):
        raise UserError(
            f"{file}: coding: expected ids, colors or nothing, got {description.coding!r}"
        )
    if description.table:
        return replace(onto(description.table, classes), coding=description.coding)
    how = {"channel": description.channel, "coding": description.coding}
    return own_table(description.classes, file, classes, name=file.stem, **how)
