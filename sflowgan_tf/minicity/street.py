"""The random lay-out of a street: ground, buildings, furniture, traffic."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from . import models
from .buildings import add_building, add_garden
from .facade import Styles
from .faces import FaceList, Faces, Label, Material, Signal
from .models import Blocker

BEHIND, AHEAD = 12.0, 130.0  # metres of street before the first and after the last camera
CELL = 0.5  # metres of street that one entry of `Street.roofs` stands for


@dataclass(frozen=True)
class Street:
    """All of a scene.

    Attributes:
        faces: the faces.
        styles: the façades' styles.
        blockers: what throws shadows.
        walls: (left, right) metres, x of the building lines.
        roofs: (2, cells) float32 metres, the height of what stands behind each building line,
            from z = -BEHIND in steps of CELL.
        curb: metres, x of the right curb; the left one is at -curb.
        lane: metres, x of the middle of the right lane.
    """

    faces: Faces
    styles: Styles
    blockers: list[Blocker]
    walls: tuple[float, float]
    roofs: np.ndarray
    curb: float
    lane: float


@dataclass
class _Plan:
    """The street while it is being laid out."""

    rng: np.random.Generator
    end: float
    half: float  # metres, half of the carriageway without parking
    parking: float
    walk: float
    faces: FaceList = field(default_factory=FaceList)
    styles: list[dict] = field(default_factory=list)
    blockers: list[Blocker] = field(default_factory=list)
    instances: int = 0

    @property
    def curb(self) -> float:
        return self.half + self.parking

    @property
    def wall(self) -> float:
        return self.curb + self.walk

    def instance(self) -> int:
        self.instances += 1
        return self.instances

    def places(self, first: float, low: float, high: float):
        """Places along the street, `low` to `high` metres apart."""
        z = first
        while z < self.end:
            yield z
            z += self.rng.uniform(low, high)


def lay_out(rng: np.random.Generator, way: float, step: float) -> Street:
    """Draw a street.

    Args:
        rng: where the chance comes from.
        way: metres that the camera drives.
        step: metres per frame, the pace of the traffic ahead.
    """
    plan = _Plan(
        rng,
        way + AHEAD,
        half=rng.uniform(3.1, 4.2),
        parking=float(rng.choice([0.0, 2.2, 2.2])),
        walk=rng.uniform(2.4, 4.5),
    )
    crossings = list(plan.places(rng.uniform(18, 45), 45, 80))
    _ground(plan, crossings)
    roofs = np.stack([_row(plan, side) for side in (-1, 1)])
    _end(plan)
    _furniture(plan, crossings)
    _parked(plan, crossings)
    _traffic(plan, way, step)
    _people(plan, way, crossings)
    return Street(
        plan.faces.table(),
        Styles.of(plan.styles),
        plan.blockers,
        (-plan.wall, plan.wall),
        roofs.astype(np.float32),
        plan.curb,
        plan.half / 2,
    )


def _ground(plan: _Plan, crossings) -> None:
    """Carriageway, markings, curbs, pavements and the land beyond."""
    far = plan.end + 400
    add, curb, wall = plan.faces.add, plan.curb, plan.wall

    def strip(x, width, z, length, y, *kind):
        add((x, y, z), (width, 0, 0), (0, 0, length), *kind)

    start, length = -BEHIND, far + BEHIND
    asphalt = tuple([float(plan.rng.uniform(0.34, 0.46))] * 3)
    paving = models.pick(plan.rng, ((0.6, 0.58, 0.55), (0.55, 0.5, 0.47), (0.62, 0.62, 0.62)))
    strip(-300, 600, start, length, -0.1, Label.VEGETATION, Material.GRASS, (0.35, 0.42, 0.2))
    strip(-curb, 2 * curb, start, length, 0.0, Label.ROAD, Material.ASPHALT, asphalt)
    for side in (-1, 1):
        outer = wall + 0.6
        left = curb if side > 0 else -outer
        walk = (Label.SIDEWALK, Material.PAVING, paving)
        strip(left, outer - curb, start, length, 0.13, *walk)
        stone = (Label.SIDEWALK, Material.WALL, (0.66, 0.65, 0.62))
        add((side * curb, 0, start), (0, 0, length), (0, 0.13, 0), *stone)
        strip(curb if side > 0 else -curb - 0.15, 0.15, start, length, 0.134, *stone)
    paint = (Label.LANE, Material.MARKING, (0.86, 0.86, 0.83))
    for z in plan.places(start, 7, 7):
        strip(-0.07, 0.14, z, 3, 0.01, *paint)
    for side in (-1, 1):
        strip(side * (plan.half - 0.1) - 0.06, 0.12, start, length, 0.01, *paint)
    for z in crossings:
        for x in np.arange(-curb + 0.4, curb - 0.5, 0.95):
            strip(x, 0.5, z, 3, 0.012, *paint)
        strip(0.1, plan.half - 0.3, z - 1.6, 0.4, 0.012, *paint)


def _row(plan: _Plan, side: int) -> np.ndarray:
    """The buildings and gardens of one side; returns the heights behind the building line."""
    roofs = np.zeros(int((plan.end + BEHIND) / CELL) + 64)
    z = -BEHIND - plan.rng.uniform(0, 8)
    tall, open_part = plan.rng.uniform(1.0, 6.0), plan.rng.uniform(0.05, 0.35)
    while z < plan.end:
        width = plan.rng.uniform(7, 20)
        if plan.rng.random() < open_part:
            add_garden(plan.faces, plan.rng, side, plan.wall, z, width, plan.blockers)
            height = 0.0
        else:
            floors = int(np.clip(round(plan.rng.normal(tall, 1.2)), 1, 8))
            height = add_building(plan, side, plan.wall, z, width, floors)
        first, last = (int(round((place + BEHIND) / CELL)) for place in (z, z + width))
        roofs[max(first, 0) : max(last, 0)] = height
        z += width
    return roofs


def _end(plan: _Plan) -> None:
    """Where the street ends far ahead: trees and what is behind them."""
    for x in np.arange(-40, 41, 6.0):
        z = plan.end + plan.rng.uniform(4, 30)
        models.tree(plan.faces, plan.rng, x + plan.rng.uniform(-2, 2), z)
    low, high = (-60.0, 0.0, plan.end + 36), (60.0, plan.rng.uniform(3, 5), plan.end + 40)
    models.hedge(plan.faces, plan.rng, low, high)


def _furniture(plan: _Plan, crossings) -> None:
    """Trees, lamps, signs and traffic lights along the curbs."""
    rng, faces = plan.rng, plan.faces
    for side in (-1, 1):
        x = side * (plan.curb + 0.6)
        if rng.random() < 0.75:
            for z in plan.places(rng.uniform(-8, 4), 7, 16):
                if rng.random() < 0.8 and all(abs(z - place) > 4 for place in crossings):
                    plan.blockers += models.tree(faces, rng, x + rng.uniform(-0.1, 0.3), z)
        for z in plan.places(rng.uniform(-5, 15), 24, 32):
            plan.blockers += models.lamp(faces, side * (plan.curb + 0.35), z, side)
        for z in plan.places(rng.uniform(5, 20), 15, 45):
            plan.blockers += models.sign(faces, rng, side * (plan.curb + 0.45), z)
        for z in plan.places(rng.uniform(0, 25), 20, 50):
            plan.blockers += models.litter_bin(faces, rng, side * (plan.curb + 0.5), z)
    for z in crossings:
        if rng.random() < 0.7:
            # The second draw has no use but that all behind it stays as it was.
            signal, _ = rng.integers(Signal.RED, Signal.GREEN + 1, 2)
            for side in (-1, 1):
                x = side * (plan.curb + 0.4)
                plan.blockers += models.traffic_light(faces, x, z - 0.6, Signal(signal))


def _parked(plan: _Plan, crossings) -> None:
    """Parked cars, and bicycles that lean at the walls."""
    rng = plan.rng
    for side in (-1, 1):
        if plan.parking:
            for z in plan.places(-BEHIND, 5.8, 7.5):
                if rng.random() < 0.6 and all(abs(z - place - 1.5) > 6 for place in crossings):
                    x = side * (plan.curb - 1.05)
                    plan.blockers += models.car(plan.faces, rng, x, z, side, plan.instance())
        for z in plan.places(rng.uniform(0, 15), 12, 40):
            turn = rng.uniform(0.6, 1.9)
            x = side * (plan.wall - 0.7)
            plan.blockers += models.bicycle(plan.faces, rng, x, z, turn, plan.instance())


def _traffic(plan: _Plan, way: float, step: float) -> None:
    """Cars and cyclists that move: oncoming ones, and ones ahead of the camera."""
    rng, faces, lane = plan.rng, plan.faces, plan.half / 2
    pace = -rng.uniform(0.6, 1.2)
    for z in plan.places(rng.uniform(10, 40), 14, 60):
        stretched = z * (1 - pace / step)  # meets the camera as often as z says
        velocity = (0.0, 0.0, pace)
        plan.blockers += models.car(faces, rng, -lane, stretched, -1, plan.instance(), velocity)
    z = rng.uniform(12, 35)
    if rng.random() < 0.7:
        velocity = (0.0, 0.0, step * rng.uniform(1.0, 1.15))
        plan.blockers += models.car(faces, rng, lane, z, 1, plan.instance(), velocity)
    edge = plan.half - 0.5
    for z in plan.places(rng.uniform(5, 40), 20, 90):
        side = rng.choice([-1, 1])
        velocity = (0.0, 0.0, side * rng.uniform(0.2, 0.45))
        x = side * edge
        plan.blockers += models.bicycle(
            faces, rng, x, z, side * np.pi / 2 + 0.01, plan.instance(), velocity
        )


def _people(plan: _Plan, way: float, crossings) -> None:
    """Pedestrians on both pavements, and some who cross where the camera does not come."""
    rng = plan.rng
    for side in (-1, 1):
        for z in plan.places(rng.uniform(2, 10), 3, 14):
            x = side * rng.uniform(plan.curb + 1.1, plan.wall - 0.5)
            velocity = (0.0, 0.0, rng.choice([-1, 1]) * rng.uniform(0.08, 0.25))
            plan.blockers += models.pedestrian(plan.faces, rng, x, z, velocity, plan.instance())
    for place in crossings:
        if place > way + 4:
            for _ in range(rng.integers(0, 4)):
                x, z = rng.uniform(-plan.curb, plan.curb), place + rng.uniform(0.3, 2.7)
                velocity = (rng.choice([-1, 1]) * rng.uniform(0.08, 0.2), 0.0, 0.0)
                plan.blockers += models.pedestrian(plan.faces, rng, x, z, velocity, plan.instance())
