"""The class tables: what the ids in a dataset's label maps mean. NumPy alone.

A label map's raw ids mean what its dataset says. A table turns them into indices 0..C-1, which are
what records hold and networks see, or into VOID. Raw ids that a table does not know are an error.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal

import numpy as np

from sflowgan_tf.ops import color_maps
from sflowgan_tf.ops.color_maps import Color
from sflowgan_tf.utils.errors import UserError

VOID = 255
Coding = Literal["ids", "colors"]


@dataclass(frozen=True, kw_only=True)
class ClassTable:
    """The classes of a dataset.

    Attributes:
        name: such as "cityscapes".
        names: of the classes; a class' place is its index in the records.
        colors: RGB 0..255, for pictures of label maps.
        ids: raw id -> index or VOID, for every raw id that may occur.
        channel: which channel of a three-channel label map holds the ids; None where only
            one-channel maps are right.
        bits: the depth that maps of ids must have; None takes 8 and 16.
        color_ids: RGB -> raw id, of maps that hold colours; empty where the classes have none of
            their own.
        coding: what label maps hold; None where each map says so itself.
        snap_colors: how far, as a Euclidean distance in levels, a colour may be from the nearest of
            the table to be taken for it.
    """

    name: str
    names: tuple[str, ...]
    colors: tuple[Color, ...]
    ids: dict[int, int]
    channel: Literal["red"] | None = None
    bits: Literal[8, 16] | None = None
    color_ids: dict[Color, int] = field(default_factory=dict, compare=False)
    coding: Coding | None = None
    snap_colors: float = 0

    @property
    def num_classes(self) -> int:
        """How many classes there are, VOID not counted."""
        return len(self.names)

    def encode(self, raw: np.ndarray) -> np.ndarray:
        """Indices 0..C-1 or VOID, uint8, of raw ids, uint8 or uint16, of any shape.

        Raises:
            UserError: an id that the table does not know; the caller adds the file's name.
        """
        lookup = np.full(1 << 16, -1, np.int16)
        lookup[list(self.ids)] = list(self.ids.values())
        indices = lookup[raw]
        if indices.size and indices.min() < 0:
            unknown = raw[indices < 0]
            first, *others = dict.fromkeys(unknown.tolist())
            also = f" (nor are {_ranges(others)})" if others else ""
            raise UserError(
                f"class id {first} at {np.count_nonzero(unknown == first)} pixels is not in class "
                f"table {self.name!r}{also}, which knows {_ranges(self.ids)}; choose the table "
                "that the label maps were made with, or give your own a line for it"
            )
        return indices.astype(np.uint8)

    def indices(self, pixels: np.ndarray, colors: np.ndarray | None = None) -> np.ndarray:
        """Indices of a label map as its file holds it, as ids or as colours.

        Args:
            pixels: (height, width) raw ids, or (height, width, 3 or 4) RGB whose red channel holds
                them or which are the classes' colours; uint8 or uint16.
            colors: (height, width, 3) uint8 RGB, of a map with a palette, whose indices `pixels`
                are.

        Returns:
            (height, width) uint8, 0..C-1 or VOID.

        Raises:
            UserError: other channels or bits than the table expects, an id or a colour that it does
                not know, or a map that can be read in two ways; the caller adds the file's name.
        """
        if colors is None and pixels.ndim == 3:
            colors = color_maps.of_eight_bits(pixels[..., :3])
        readings, refusals = [], []
        if self.coding != "colors":
            _attempt(self._of_ids, pixels, readings, refusals)
        if colors is not None and self.coding != "ids" and (self.color_ids or self.coding):
            before = len(readings)
            _attempt(self._of_colors, colors, readings, refusals)
            if (
                len(readings) == before
                and pixels.ndim == 3
                and color_maps.is_one(colors, self.color_ids)
            ):
                raise UserError(refusals[-1])  # even where its reds happen to be ids
        if not readings:
            told = "; as a colour map: ".join(refusals or ["has no colours"])
            raise UserError(told + self._other_coding(colors))
        first, *others = readings
        if any(not np.array_equal(first, other) for other in others):
            raise UserError(
                f"its numbers are ids of class table {self.name!r}, and its colours are that "
                f"table's too, but of other classes; say which of the two it holds, {_HOW_TO_SAY}"
            )
        return first

    def _other_coding(self, colors: np.ndarray | None) -> str:
        """What to do about a map that may hold the other coding than what is said."""
        if self.coding is None or (self.coding == "ids" and (colors is None or not self.color_ids)):
            return ""
        return f"; label maps are read as {self.coding}: if that is wrong, say so {_HOW_TO_SAY}"

    @property
    def color_indices(self) -> dict[Color, int]:
        """RGB -> index or VOID, of maps that hold colours."""
        return {color: self.ids[key] for color, key in self.color_ids.items()}

    def _of_colors(self, colors: np.ndarray) -> np.ndarray:
        """Indices of a map of colours, (height, width, 3) uint8 RGB."""
        if not self.color_ids:
            raise UserError(
                f"class table {self.name!r} has no colours that tell its classes apart; give each "
                "class its `color`"
            )
        try:
            return self.encode(color_maps.ids(colors, self.color_ids, self.snap_colors))
        except color_maps.UnknownColor as unknown:
            index = self.color_indices[unknown.nearest]
            name = "void" if index == VOID else self.names[index]
            raise UserError(
                f"colour {unknown.color} at {100 * unknown.share:.3g} % of the pixels is none of "
                f"class table {self.name!r}; the nearest is {name!r}, {unknown.nearest}, "
                f"{unknown.distance:.0f} levels away"
            ) from None

    def _of_ids(self, pixels: np.ndarray) -> np.ndarray:
        """Indices of a map of ids, in one channel or where the table has them."""
        channels = "1 channel" if pixels.ndim == 2 else f"{pixels.shape[2]} channels"
        kind = f"has {channels} of {8 * pixels.itemsize} bits"
        if self.bits not in (None, 8 * pixels.itemsize):
            raise UserError(
                f"{kind}; class table {self.name!r} expects {self.bits} bits, as the raw label "
                "maps (GT/LABELS) have: was it converted?"
            )
        if pixels.ndim == 3 and self.channel is None:
            raise UserError(
                f"{kind}; class table {self.name!r} expects one channel of class ids; where they "
                "are in the red one, give your table `channel: red`"
            )
        return self.encode(pixels if pixels.ndim == 2 else pixels[..., 0])

    def colorize(self, labels: np.ndarray) -> np.ndarray:
        """A picture (height, width, 3) uint8 RGB of labels (height, width) uint8; VOID is black."""
        palette = np.zeros((256, 3), np.uint8)
        palette[: self.num_classes] = self.colors
        return palette[labels]

    def reading(
        self,
        other: str | ClassTable | None,
        *,
        coding: Coding | None = None,
        snap_colors: float | None = None,
    ) -> ClassTable:
        """The table that reads label maps into this one's classes.

        Args:
            other: the table of the label maps: its name, if it has this one's classes; or any whose
                classes have names of this one's, in any order; None for this one.
            coding: what the label maps hold; None for what the table says.
            snap_colors: see the class; None for what the table says.

        Raises:
            UserError: there is no such table, or its classes are others.
        """
        if isinstance(other, ClassTable):
            read = self._by_names(other)
        else:
            read = self if other is None else self._leading_here(other)
        return replace(
            read,
            coding=read.coding if coding is None else coding,
            snap_colors=read.snap_colors if snap_colors is None else snap_colors,
        )

    def _leading_here(self, name: str) -> ClassTable:
        other = table(name)
        if other.names != self.names:
            fitting = [key for key, value in TABLES.items() if value.names == self.names]
            raise UserError(
                f"class table {name!r} does not lead to the classes of {self.name!r}; expected "
                f"one that does: {', '.join(fitting) or 'there is none'}; or a YAML with `classes` "
                "that have its names"
            )
        return other

    def _by_names(self, other: ClassTable) -> ClassTable:
        unknown = [name for name in other.names if name not in self.names]
        if unknown:
            raise UserError(
                f"class table {other.name!r}: {', '.join(unknown)}: no classes of {self.name!r}; "
                f"expected names of {', '.join(self.names)}"
            )
        places = {place: self.names.index(name) for place, name in enumerate(other.names)}
        ids = {key: places.get(place, VOID) for key, place in other.ids.items()}
        return replace(other, names=self.names, colors=self.colors, ids=ids)

    def to_dict(self) -> dict[str, Any]:
        """For JSON, whose keys are strings."""
        return asdict(self) | {
            "ids": {str(key): value for key, value in self.ids.items()},
            "color_ids": [[*color, key] for color, key in self.color_ids.items()],
        }

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> ClassTable:
        """The table that `to_dict` wrote, here or before tables had colours to read.

        One of ours that was written without its colours gets them.
        """
        tuples = {
            "color_ids": {(r, g, b): key for r, g, b, key in values.get("color_ids", ())},
            "names": tuple(values["names"]),
            "colors": tuple(tuple(color) for color in values["colors"]),
            "ids": {int(key): value for key, value in values["ids"].items()},
        }
        read = cls(**(values | tuples))
        ours = TABLES.get(read.name, read)
        is_ours = ours == replace(read, coding=ours.coding, snap_colors=ours.snap_colors)
        return replace(read, color_ids=read.color_ids or ours.color_ids) if is_ours else read


_HOW_TO_SAY = (
    "with `coding: ids` or `coding: colors` in the dataset's description, or with --coding of "
    "translate and lite"
)


def _attempt(
    read: Callable[[np.ndarray], np.ndarray],
    shown: np.ndarray,
    readings: list[np.ndarray],
    refusals: list[str],
) -> None:
    try:
        readings.append(read(shown))
    except UserError as error:
        refusals.append(str(error))


def _ranges(ids: Iterable[int]) -> str:
    """Sorted numbers with runs drawn together: 0 to 3, 7."""
    runs: list[list[int]] = []
    for number in sorted(ids):
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return ", ".join(f"{run[0]} to {run[-1]}" if run[1:] else str(run[0]) for run in runs)


def table(name: str) -> ClassTable:
    """A class table by its name.

    Raises:
        UserError: there is none of this name.
    """
    if name not in TABLES:
        raise UserError(f"no class table {name!r}; expected one of {', '.join(TABLES)}")
    return TABLES[name]


def onto(name: str, classes: str) -> ClassTable:
    """A dataset's table, or the one that reads it as the 19 trainIds of "cityscapes".

    Raises:
        UserError: no way from these ids to those classes is known.
    """
    if classes in ("own", name):
        return table(name)
    if f"{name}-as-{classes}" not in TABLES:
        raise UserError(
            f"records.classes={classes}: class table {name!r} cannot be read so; "
            "expected records.classes=own"
        )
    return TABLES[f"{name}-as-{classes}"]


def _own(
    name: str,
    classes: dict[int, tuple[str, Color]],
    void: tuple[int, ...],
    void_colors: dict[int, Color] | None = None,
    **how: Any,
) -> ClassTable:
    """A table whose indices follow the order of `classes`, raw id -> (name, colour).

    Black is the first void id; `void_colors` are those of others.
    """
    names, colors = zip(*classes.values(), strict=True)
    ids = {key: index for index, key in enumerate(classes)} | dict.fromkeys(void, VOID)
    color_ids = {(0, 0, 0): void[0]} | {color: key for key, (_, color) in classes.items()}
    color_ids |= {color: key for key, color in (void_colors or {}).items()}
    return ClassTable(name=name, names=names, colors=colors, ids=ids, color_ids=color_ids, **how)


def _as_cityscapes(source: ClassTable, ids: dict[int, int]) -> ClassTable:
    """`source`'s raw ids, read as Cityscapes' trainIds; those not in `ids` become VOID."""
    return ClassTable(
        name=f"{source.name}-as-cityscapes",
        names=_CITYSCAPES.names,
        colors=_CITYSCAPES.colors,
        ids={key: ids.get(key, VOID) for key in source.ids},
        channel=source.channel,
        bits=source.bits,
        color_ids=source.color_ids,
        coding=source.coding,
    )


# cityscapesScripts, helpers/labels.py: the 19 classes with a trainId, in its order. The licence
# plate's id, -1, is 255 in 8 bits.
_CITYSCAPES = _own(
    "cityscapes",
    {
        7: ("road", (128, 64, 128)),
        8: ("sidewalk", (244, 35, 232)),
        11: ("building", (70, 70, 70)),
        12: ("wall", (102, 102, 156)),
        13: ("fence", (190, 153, 153)),
        17: ("pole", (153, 153, 153)),
        19: ("traffic light", (250, 170, 30)),
        20: ("traffic sign", (220, 220, 0)),
        21: ("vegetation", (107, 142, 35)),
        22: ("terrain", (152, 251, 152)),
        23: ("sky", (70, 130, 180)),
        24: ("person", (220, 20, 60)),
        25: ("rider", (255, 0, 0)),
        26: ("car", (0, 0, 142)),
        27: ("truck", (0, 0, 70)),
        28: ("bus", (0, 60, 100)),
        31: ("train", (0, 80, 100)),
        32: ("motorcycle", (0, 0, 230)),
        33: ("bicycle", (119, 11, 32)),
    },
    void=(0, 1, 2, 3, 4, 5, 6, 9, 10, 14, 15, 16, 18, 29, 30, VOID),
    void_colors={
        5: (111, 74, 0),
        6: (81, 0, 81),
        9: (250, 170, 160),
        10: (230, 150, 140),
        14: (180, 165, 180),
        15: (150, 100, 100),
        16: (150, 120, 90),
        29: (0, 0, 90),
        30: (0, 0, 110),
    },
)

# The ReadMe of each SYNTHIA-SEQS archive.
_SYNTHIA = _own(
    "synthia",
    {
        1: ("sky", (128, 128, 128)),
        2: ("building", (128, 0, 0)),
        3: ("road", (128, 64, 128)),
        4: ("sidewalk", (0, 0, 192)),
        5: ("fence", (64, 64, 128)),
        6: ("vegetation", (128, 128, 0)),
        7: ("pole", (192, 192, 128)),
        8: ("car", (64, 0, 128)),
        9: ("traffic sign", (192, 128, 128)),
        10: ("pedestrian", (64, 64, 0)),
        11: ("bicycle", (0, 128, 192)),
        12: ("lane marking", (0, 172, 0)),
        15: ("traffic light", (0, 128, 128)),
    },
    void=(0, 13, 14),
    channel="red",
    bits=16,
)

# The ReadMe of SYNTHIA-RAND-CITYSCAPES; it paints lane markings as walls, we do not.
_SYNTHIA_RAND = _own(
    "synthia-rand",
    {
        1: ("sky", (70, 130, 180)),
        2: ("building", (70, 70, 70)),
        3: ("road", (128, 64, 128)),
        4: ("sidewalk", (244, 35, 232)),
        5: ("fence", (64, 64, 128)),
        6: ("vegetation", (107, 142, 35)),
        7: ("pole", (153, 153, 153)),
        8: ("car", (0, 0, 142)),
        9: ("traffic sign", (220, 220, 0)),
        10: ("pedestrian", (220, 20, 60)),
        11: ("bicycle", (119, 11, 32)),
        12: ("motorcycle", (0, 0, 230)),
        13: ("parking", (250, 170, 160)),
        14: ("road work", (128, 64, 64)),
        15: ("traffic light", (250, 170, 30)),
        16: ("terrain", (152, 251, 152)),
        17: ("rider", (255, 0, 0)),
        18: ("truck", (0, 0, 70)),
        19: ("bus", (0, 60, 100)),
        20: ("train", (0, 80, 100)),
        21: ("wall", (102, 102, 156)),
        22: ("lane marking", (0, 172, 0)),
    },
    void=(0,),
    channel="red",
    bits=16,
)

# CARLA's LibCarla/source/carla/image/CityScapesPalette.h, from 0.9.14 on and up to 0.9.13.
_CARLA = _own(
    "carla-0.9.14",
    dict(enumerate(zip(_CITYSCAPES.names, _CITYSCAPES.colors, strict=True), start=1))
    | {
        20: ("static", (110, 190, 160)),
        21: ("dynamic", (170, 120, 50)),
        22: ("other", (55, 90, 80)),
        23: ("water", (45, 60, 150)),
        24: ("road line", (157, 234, 50)),
        25: ("ground", (81, 0, 81)),
        26: ("bridge", (150, 100, 100)),
        27: ("rail track", (230, 150, 140)),
        28: ("guard rail", (180, 165, 180)),
    },
    void=(0,),
    channel="red",
)
_CARLA_OLD = _own(
    "carla-0.9.13",
    {
        1: ("building", (70, 70, 70)),
        2: ("fence", (100, 40, 40)),
        3: ("other", (55, 90, 80)),
        4: ("pedestrian", (220, 20, 60)),
        5: ("pole", (153, 153, 153)),
        6: ("road line", (157, 234, 50)),
        7: ("road", (128, 64, 128)),
        8: ("sidewalk", (244, 35, 232)),
        9: ("vegetation", (107, 142, 35)),
        10: ("vehicle", (0, 0, 142)),
        11: ("wall", (102, 102, 156)),
        12: ("traffic sign", (220, 220, 0)),
        13: ("sky", (70, 130, 180)),
        14: ("ground", (81, 0, 81)),
        15: ("bridge", (150, 100, 100)),
        16: ("rail track", (230, 150, 140)),
        17: ("guard rail", (180, 165, 180)),
        18: ("traffic light", (250, 170, 30)),
        19: ("static", (110, 190, 160)),
        20: ("dynamic", (170, 120, 50)),
        21: ("water", (45, 60, 150)),
        22: ("terrain", (145, 170, 100)),
    },
    void=(0,),
    channel="red",
)

# The colors.txt of Virtual KITTI 2, in its order; its label maps hold the colours alone.
_VKITTI = _own(
    "vkitti",
    {
        1: ("terrain", (210, 0, 200)),
        2: ("sky", (90, 200, 255)),
        3: ("tree", (0, 199, 0)),
        4: ("vegetation", (90, 240, 0)),
        5: ("building", (140, 140, 140)),
        6: ("road", (100, 60, 100)),
        7: ("guard rail", (250, 100, 255)),
        8: ("traffic sign", (255, 255, 0)),
        9: ("traffic light", (200, 200, 0)),
        10: ("pole", (255, 130, 0)),
        11: ("misc", (80, 80, 80)),
        12: ("truck", (160, 60, 60)),
        13: ("car", (255, 127, 80)),
        14: ("van", (0, 139, 139)),
    },
    void=(0,),
    coding="colors",
)

# SegNet's 11 classes of CamVid, in their order there, in the colours of CamVid's label_colors.txt.
_CAMVID = _own(
    "camvid",
    {
        0: ("sky", (128, 128, 128)),
        1: ("building", (128, 0, 0)),
        2: ("pole", (192, 192, 128)),
        3: ("road", (128, 64, 128)),
        4: ("sidewalk", (0, 0, 192)),
        5: ("vegetation", (128, 128, 0)),
        6: ("traffic sign", (192, 128, 128)),
        7: ("fence", (64, 64, 128)),
        8: ("car", (64, 0, 128)),
        9: ("pedestrian", (64, 64, 0)),
        10: ("bicycle", (0, 128, 192)),
    },
    void=(11,),
)

# The other 20 classes of CamVid, of which SegNet's are made too: camvidPixelLabelIDs of MathWorks'
# example on SegNet, "following the original SegNet training methodology".
_CAMVID_COLORS: dict[Color, int] = {
    (0, 128, 64): 1,  # bridge
    (64, 192, 0): 1,  # wall
    (64, 0, 64): 1,  # tunnel
    (192, 0, 128): 1,  # archway
    (0, 0, 64): 2,  # traffic cone
    (128, 0, 192): 3,  # lane markings to drive on
    (192, 0, 64): 3,  # other lane markings
    (64, 192, 128): 4,  # parking block
    (128, 128, 192): 4,  # road shoulder
    (192, 192, 0): 5,  # other vegetation
    (128, 128, 64): 6,  # text
    (0, 64, 64): 6,  # traffic light
    (64, 128, 192): 8,  # SUV, pick-up truck
    (192, 128, 192): 8,  # truck, bus
    (192, 64, 128): 8,  # train
    (128, 64, 64): 8,  # other that moves
    (192, 128, 64): 9,  # child
    (64, 0, 192): 9,  # cart, luggage, pram
    (64, 128, 64): 9,  # animal
    (192, 0, 192): 10,  # motorcycle, scooter
}

_SYNTHIA_IDS = {1: 10, 2: 2, 3: 0, 4: 1, 5: 4, 6: 8, 7: 5, 8: 13, 9: 7, 10: 11, 15: 6}

TABLES: dict[str, ClassTable] = {
    entry.name: entry
    for entry in (
        _SYNTHIA,
        _SYNTHIA_RAND,
        _CITYSCAPES,
        replace(
            _CITYSCAPES,
            name="cityscapes-trainids",
            ids={train: train for train in range(19)} | {VOID: VOID},
            color_ids={color: _CITYSCAPES.ids[key] for color, key in _CITYSCAPES.color_ids.items()},
        ),
        _CARLA,
        _CARLA_OLD,
        _VKITTI,
        replace(_CAMVID, color_ids=_CAMVID.color_ids | _CAMVID_COLORS),
        # 11 is bicycle or cyclist there, mostly cyclists; 12 is lane marking, painted on the road
        _as_cityscapes(_SYNTHIA, _SYNTHIA_IDS | {11: 12, 12: 0}),
        _as_cityscapes(
            _SYNTHIA_RAND,
            _SYNTHIA_IDS | {11: 18, 12: 17, 16: 9, 17: 12, 18: 14, 19: 15, 20: 16, 21: 3},
        ),
        _as_cityscapes(_CARLA, {tag: tag - 1 for tag in range(1, 20)} | {24: 0}),
        _as_cityscapes(
            _CARLA_OLD,
            {1: 2, 2: 4, 4: 11, 5: 5, 6: 0, 7: 0, 8: 1, 9: 8, 10: 13, 11: 3, 12: 7, 13: 10}
            | {18: 6, 22: 9},
        ),
        # vans are cars in Cityscapes, guard rails void
        _as_cityscapes(
            _VKITTI,
            {1: 9, 2: 10, 3: 8, 4: 8, 5: 2, 6: 0, 8: 7, 9: 6, 10: 5, 12: 14, 13: 13, 14: 13},
        ),
    )
}
