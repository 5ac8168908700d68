"""The files below a folder, as a user means them. The standard library alone."""

import os
import unicodedata
from collections.abc import Collection, Iterator
from pathlib import Path, PurePath

from sflowgan_tf.utils.errors import UserError

_PICTURES = (".avif", ".bmp", ".heic", ".jp2", ".jpeg", ".jpg", ".png", ".ppm", ".tga")
_PICTURES += (".tif", ".tiff", ".webp")


def files_below(folder: Path, suffixes: Collection[str]) -> list[Path]:
    """The files with some suffixes, in whatever case, in the order of their names.

    Folders that are links are followed, but not into a folder that they lie in. What is hidden, as
    macOS' `._x.png` beside `x.png`, is passed over.

    Args:
        folder: where to look; none are found where it is not there.
        suffixes: such as ".png", in lower case.

    Raises:
        UserError: the name of one of them is no text, so that no record or message could hold it.
    """
    files = [path for path in _walked(folder) if path.suffix.lower() in suffixes]
    for path in files:
        try:
            str(path.relative_to(folder)).encode()
        except UnicodeEncodeError:
            name = ascii(str(path.relative_to(folder)))
            raise UserError(f"{folder}: the name {name} in it is no UTF-8; rename it") from None
    return sorted(files, key=lambda path: path.relative_to(folder).parts)


def pictures_below(folder: Path, suffixes: Collection[str]) -> list[Path]:
    """The pictures that `files_below` finds, where no other would be left out in silence.

    Raises:
        UserError: there is a picture of another kind, which is none of these in another coding.
    """
    files = files_below(folder, suffixes)
    names = {normal_name(file.with_suffix("")) for file in files}
    for file in files_below(folder, [kind for kind in _PICTURES if kind not in suffixes]):
        if normal_name(file.with_suffix("")) not in names:
            kinds = ", ".join(suffixes)
            raise UserError(f"{file}: expected {kinds}; convert it, or take it away")
    return files


def normal_name(path: PurePath) -> str:
    """A relative path in one Unicode form, NFC, its folders joined by "/".

    Names that look alike may be of two forms: macOS stores the decomposed one, others the composed
    one.
    """
    return unicodedata.normalize("NFC", path.as_posix())


def _walked(folder: Path, above: frozenset[str] = frozenset()) -> Iterator[Path]:
    place = os.path.realpath(folder)
    if place in above or not folder.is_dir():
        return
    for entry in os.scandir(folder):
        if entry.name.startswith("."):
            continue
        if entry.is_dir():
            yield from _walked(folder / entry.name, above | {place})
        else:
            yield folder / entry.name
