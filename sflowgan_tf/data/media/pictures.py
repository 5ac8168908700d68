"""Pictures on disk, read with errors that name the file."""

import io
from pathlib import Path

import cv2
import numpy as np
import simplejpeg
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from sflowgan_tf.data.flow import flow_of_levels
from sflowgan_tf.ops.classes import ClassTable
from sflowgan_tf.ops.orientation import orientation, upright
from sflowgan_tf.utils.arrays import kind
from sflowgan_tf.utils.disk import writing
from sflowgan_tf.utils.errors import UserError
from sflowgan_tf.utils.files import written_whole
from sflowgan_tf.utils.listing import pictures_below

SUFFIXES = (".png", ".jpg", ".jpeg")
# What a whole file ends with. OpenCV fills up the missing half of a truncated one with grey.
_ENDS = {".png": b"IEND\xaeB`\x82", ".jpg": b"\xff\xd9", ".jpeg": b"\xff\xd9"}
_TAIL = 4096  # bytes in which the end must be; some cameras append a few
_MOST_PIXELS = 1 << 30  # that OpenCV takes
_JPEG = b"\xff\xd8"  # what a JPEG begins with
_PNG, _HEADER = b"\x89PNG\r\n\x1a\n", 33  # what a PNG begins with, and bytes up to its header's end
_GREY, _PALETTE, _GREY_ALPHA = 0, 3, 4  # kinds of PNGs


def pictures(folder: Path) -> list[Path]:
    """The PNG and JPEG files below a folder, in order; see `pictures_below`."""
    return pictures_below(folder, SUFFIXES)


def read_image(file: Path) -> np.ndarray:
    """Reads a PNG or JPEG as (height, width, 3) uint8 RGB, turned as its EXIF says.

    Raises:
        UserError: it is missing, unreadable, truncated or damaged.
    """
    content = _read(file)
    if content.startswith(_JPEG):
        return _decoded_jpeg(file, content)
    mode = cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION
    return cv2.cvtColor(_decoded(file, content, mode), cv2.COLOR_BGR2RGB)


def read_labels(file: Path, table: ClassTable) -> np.ndarray:
    """Reads a label map as (height, width) uint8 class indices of a table.

    It is a PNG with one channel of ids, of any depth; or with a palette, whose indices are the ids
    or whose colours are the table's; or with ids in the channel that the table says, or in its
    colours.

    Raises:
        UserError: it is unreadable, no PNG, or nothing that `ClassTable.indices` can read.
    """
    _check_is_png(file)
    return _labels(file, *_stored(file), table)


def read_labels_and_instances(file: Path, table: ClassTable) -> tuple[np.ndarray, np.ndarray]:
    """What `read_labels` and `read_instances` give of a file that holds both, decoded once.

    Raises:
        UserError: as they say.
    """
    _check_is_png(file)
    content = _read_png(file)
    if _kind_of_png(content) == _PALETTE:
        return read_labels(file, table), read_instances(file)
    pixels = _decoded(file, content, cv2.IMREAD_UNCHANGED)
    return _labels(file, _numbers(content, pixels), None, table), _instances(file, pixels)


def _check_is_png(file: Path) -> None:
    if file.suffix.lower() != ".png":
        raise UserError(f"{file}: label maps must be PNG; JPEG changes the class ids")


def _labels(
    file: Path, raw: np.ndarray, palette: np.ndarray | None, table: ClassTable
) -> np.ndarray:
    try:
        return table.indices(raw, None if palette is None else palette[raw])
    except UserError as error:
        raise UserError(f"{file}: {error}") from None


def read_numbers(file: Path) -> np.ndarray:
    """Reads the numbers of a PNG as they stand in it: nothing is stretched, no palette applied.

    Returns:
        (height, width) of grey or of a palette's indices, or (height, width, 3) RGB without alpha;
        uint8 or uint16.

    Raises:
        UserError: it is unreadable, or no PNG.
    """
    return _stored(file)[0]


def read_instances(file: Path) -> np.ndarray:
    """Reads instance numbers as (height, width) uint16, 0 where a pixel belongs to no instance.

    The file is a PNG of 16 bits. With three channels, the green one holds the numbers, as in
    SYNTHIA's label maps. With one channel, it is Cityscapes' instanceIds: a class id times 1000
    plus a number; what is less than 1000 is no instance. Or it has three or four channels of 8
    bits, as CARLA's instance frames: the number is green + 256 blue.

    Raises:
        UserError: it is unreadable, or has one channel of 8 bits.
    """
    return _instances(file, _decode(file, cv2.IMREAD_UNCHANGED))


def _instances(file: Path, raw: np.ndarray) -> np.ndarray:
    if raw.dtype == np.uint8 and raw.ndim == 3:
        blue, green = raw[..., 0].astype(np.uint16), raw[..., 1]
        return green + 256 * blue
    if raw.dtype != np.uint16:
        raise UserError(
            f"{file}: has 8 bits; expected 16 bits of instance numbers, or 8 bits of them in green "
            "and blue, as CARLA writes them"
        )
    return raw[..., 1] if raw.ndim == 3 else np.where(raw < 1000, 0, raw).astype(np.uint16)


def write_png(file: Path, pixels: np.ndarray, texts: dict[str, str]) -> None:
    """Writes a PNG whole, into folders that are made if need be.

    Args:
        file: to write.
        pixels: (height, width, 3) uint8 RGB, or (height, width) uint8.
        texts: for its metadata.

    Raises:
        Failure: the disk refuses.
    """
    content = png_with_texts(pixels, texts)
    with writing(file):
        file.parent.mkdir(parents=True, exist_ok=True)
        with written_whole(file) as partial:
            partial.write_bytes(content)


def png_with_texts(pixels: np.ndarray, texts: dict[str, str]) -> bytes:
    """A PNG with metadata; the arguments are those of `write_png`."""
    metadata, content = PngInfo(), io.BytesIO()
    for key, value in texts.items():
        metadata.add_text(key, value)
    Image.fromarray(pixels).save(content, format="png", pnginfo=metadata)
    return content.getvalue()


def texts_of(name: str, content: bytes, most_pixels: int) -> dict[str, str]:
    """The metadata that `write_png` gave a PNG.

    Args:
        name: of the file, for messages.
        content: of the file.
        most_pixels: of the picture.

    Raises:
        UserError: it is no PNG, or damaged, or larger, or its metadata are larger than any of ours.
    """
    try:
        with Image.open(io.BytesIO(content), formats=["png"]) as image:
            if image.width * image.height > most_pixels:
                size = f"{image.width}x{image.height}"
                raise UserError(f"{name}: {size}; expected at most {most_pixels} pixels")
            image.load()
            return {str(k): value for k, value in image.info.items() if isinstance(value, str)}
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        raise UserError(f"{name}: no PNG, or a damaged one; expected a picture as saved") from None


def encode_png(pixels: np.ndarray) -> bytes:
    """A PNG that is written fast.

    Args:
        pixels: (height, width, 3) RGB or (height, width), uint8 or uint16.
    """
    image = pixels if pixels.ndim == 2 else pixels[..., ::-1]  # OpenCV writes BGR
    done, content = cv2.imencode(".png", image, [cv2.IMWRITE_PNG_COMPRESSION, 1])
    if not done:
        raise RuntimeError(f"OpenCV could not encode an image of {kind(pixels)}")
    return content.tobytes()


def labels_and_instances(labels: np.ndarray, instances: np.ndarray) -> np.ndarray:
    """One map of both, as SYNTHIA's files hold them and `read_labels`, `read_instances` take it.

    Args:
        labels: (height, width) uint8 or uint16 raw ids.
        instances: (height, width) uint16 numbers.

    Returns:
        (height, width, 3) uint16: ids in the first channel (red), numbers in the second (green).
    """
    return np.dstack([labels, instances, np.zeros_like(instances)]).astype(np.uint16)


def centimetres(depth: np.ndarray) -> np.ndarray:
    """Depth as SYNTHIA's files hold it, (height, width) uint16; 65535 is 655.35 m or more.

    Args:
        depth: (height, width) floating, metres.
    """
    return np.minimum(np.rint(depth * 100), 65535).astype(np.uint16)


def read_motion(file: Path) -> tuple[np.ndarray, np.ndarray]:
    """Reads exact flow of KITTI's 16-bit PNG.

    Returns:
        The flow (height, width, 2) float32, pixels, channel 0 dx (right), 1 dy (down); and where it
        is valid, (height, width) bool.

    Raises:
        UserError: it is unreadable, or no such PNG.
    """
    levels, valid = read_flow_levels(file)
    return flow_of_levels(levels), valid


def read_flow_levels(file: Path) -> tuple[np.ndarray, np.ndarray]:
    """Reads a flow's 16-bit PNG without turning its levels into pixels.

    Returns:
        (height, width, 2) float32, 0 to 65535: red, which stands for dx, then green, for dy; and
        where the flow is valid, blue over 0, (height, width) bool.

    Raises:
        UserError: it is unreadable, or no such PNG.
    """
    raw = _decode(file, cv2.IMREAD_UNCHANGED)
    if raw.dtype != np.uint16 or raw.ndim != 3:
        channels = 1 if raw.ndim == 2 else raw.shape[2]
        raise UserError(
            f"{file}: has {channels} channels of {8 * raw.itemsize} bits; expected flow in three "
            "of 16, as KITTI has it"
        )
    blue, green, red = cv2.split(raw)  # faster than NumPy's views of single channels
    return cv2.merge([red, green]).astype(np.float32), blue > 0


def _stored(file: Path) -> tuple[np.ndarray, np.ndarray | None]:
    """The numbers of `read_numbers`: of a palette the indices, of few bits unscaled.

    And its palette, (colours, 3) uint8 RGB, if it has one.
    """
    content = _read_png(file)
    if _kind_of_png(content) == _PALETTE:
        return _of_palette(file, content)
    return _numbers(content, _decoded(file, content, cv2.IMREAD_UNCHANGED)), None


def _read_png(file: Path) -> bytes:
    content = _read(file)
    if len(content) < _HEADER or not content.startswith(_PNG):
        raise UserError(f"{file}: no PNG, but for its name; expected a PNG file")
    return content


def _kind_of_png(content: bytes) -> int:
    return content[25]  # of the header, which comes first


def _numbers(content: bytes, pixels: np.ndarray) -> np.ndarray:
    """The numbers of `read_numbers`, of a PNG without palette and its `pixels` by OpenCV."""
    depth, kind = content[24], _kind_of_png(content)
    if kind == _GREY and depth < 8:
        return pixels // (255 // (2**depth - 1))  # OpenCV stretches them to 0..255
    if pixels.ndim == 2:
        return pixels
    return pixels[..., 0] if kind == _GREY_ALPHA else pixels[..., 2::-1]  # OpenCV reads BGR


def _of_palette(file: Path, content: bytes) -> tuple[np.ndarray, np.ndarray]:
    try:
        with Image.open(io.BytesIO(content)) as image:
            colors = np.array(image.getpalette("RGB"), np.uint8).reshape(-1, 3)
            indices = upright(np.asarray(image), orientation(content))
    except Image.DecompressionBombError:
        raise _too_large(file) from None
    except (OSError, SyntaxError, ValueError):
        raise UserError(f"{file}: can't be decoded; expected a PNG or JPEG file") from None
    if indices.max() >= len(colors):  # Pillow cuts ids to one bit where no palette was given
        raise UserError(
            f"{file}: its palette has {len(colors)} colours, but index {indices.max()} is used; "
            "the ids are lost: write them anew, as grey or with a whole palette"
        )
    return indices, colors


def _decode(file: Path, mode: int) -> np.ndarray:
    return _decoded(file, _read(file), mode)


def _read(file: Path) -> bytes:
    try:
        content = file.read_bytes()
    except FileNotFoundError:
        raise UserError(f"{file}: no such file") from None
    if _ENDS[file.suffix.lower()] not in content[-_TAIL:]:
        raise UserError(f"{file}: truncated, or no {file.suffix[1:].upper()} at all; copy it anew")
    return content


def _decoded_jpeg(file: Path, content: bytes) -> np.ndarray:
    """(height, width, 3) uint8 RGB; OpenCV would fill what is damaged with grey."""
    try:
        height, width, *_ = simplejpeg.decode_jpeg_header(content)
        if height * width > _MOST_PIXELS:
            raise _too_large(file)
        exact = {"fastdct": False, "fastupsample": False, "strict": True}
        pixels = simplejpeg.decode_jpeg(content, "RGB", **exact)
    except ValueError as error:
        sentence = f"{file}: damaged, or no known kind of JPEG ({error}); copy it anew"
        raise UserError(sentence) from None
    return upright(pixels, orientation(content))


def _too_large(file: Path) -> UserError:
    return UserError(
        f"{file}: its header claims more pixels than any camera has; expected an undamaged "
        "PNG or JPEG file"
    )


def _decoded(file: Path, content: bytes, mode: int) -> np.ndarray:
    try:
        image = cv2.imdecode(np.frombuffer(content, np.uint8), mode)
    except cv2.error:  # more than `_MOST_PIXELS`
        raise _too_large(file) from None
    if image is None:
        raise UserError(f"{file}: can't be decoded; expected a PNG or JPEG file")
    return upright(image, orientation(content))


def resize(image: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Cuts the middle out to the aspect ratio of `size`, then resizes.

    Args:
        image: (height, width, 3) uint8 picture, resized by area if it shrinks and bicubically if
            it grows; or (height, width) uint8 or uint16 map of numbers, resized to the nearest
            pixel.
        size: (width, height) of the result.
    """
    cut = _middle(image, size)
    if image.ndim == 2:
        return cv2.resize(cut, size, interpolation=cv2.INTER_NEAREST_EXACT)
    shrinks = size[0] <= cut.shape[1]
    return cv2.resize(cut, size, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC)


def resize_motion(
    flow: np.ndarray, valid: np.ndarray, size: tuple[int, int]
) -> tuple[np.ndarray, np.ndarray]:
    """Cuts and resizes a flow as `resize` does its frames, and scales it alike.

    Flow (height, width, 2) float32, dx and dy, in pixels of the new size, and mask (height, width)
    bool, false also where the motion ends outside the cut, are resized to the nearest pixel, so
    that no two motions are mixed at a boundary.
    """
    height, width = _middle(valid, size).shape
    motion, seen = (
        cv2.resize(_middle(plane, size), size, interpolation=cv2.INTER_NEAREST_EXACT)
        for plane in (flow, valid.astype(np.uint8))
    )
    scaled = motion * np.array([size[0] / width, size[1] / height], np.float32)
    target = scaled + np.stack(np.meshgrid(*map(np.arange, size)), -1)
    inside = ((target > -0.5) & (target < np.array(size) - 0.5)).all(axis=-1)
    return scaled, (seen > 0) & inside


def _middle(image: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """The largest part in the middle with the aspect ratio of `size`."""
    height, width = image.shape[:2]
    cut_width = min(width, max(round(height * size[0] / size[1]), 1))
    cut_height = min(height, max(round(width * size[1] / size[0]), 1))
    top, left = (height - cut_height) // 2, (width - cut_width) // 2
    return image[top : top + cut_height, left : left + cut_width]
