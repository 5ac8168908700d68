"""The photograph: textures, light, shadows and air, as radiance before the lens.

All texture is a function of the surface alone, so a point looks the same in the next frame but for
the air before it and the shadows that pass.
"""

from __future__ import annotations

import numpy as np

from . import materials, shadows, textures, walls
from .facade import Facade
from .faces import Faces, Material
from .raster import Surface, View
from .street import Street
from .weather import Weather

_PAVED = np.isin(np.arange(len(Material)), [Material.ASPHALT, Material.PAVING, Material.MARKING])
_ON_GROUND = _PAVED | (np.arange(len(Material)) == Material.GRASS)
_CLOUD = np.float32(0.12)  # tiles of cloud for a step as long as the clouds are high


def render(
    street: Street, weather: Weather, seen: View, surface: Surface, facade: Facade
) -> np.ndarray:
    """The light that reaches the camera.

    Args:
        street: the scene.
        weather: light and air.
        seen: the view.
        surface: its surface points.
        facade: its façade pixels.

    Returns:
        (3, height, width) float32 linear RGB radiance, >= 0.
    """
    faces, face = street.faces, seen.face
    material = seen.pixels(faces.material)
    texture = _texture(street, seen, surface)
    linear = np.square(faces.color)
    shining = linear * materials.column("glow")[faces.material][:, None]
    paint, glow = seen.pixels(linear.T) * texture, seen.pixels(shining.T)
    on_walls = walls.paint(weather, facade, _taken(texture, facade.spots))
    for whole, part in zip((paint, glow), on_walls, strict=True):
        _put(whole, facade.spots, part)
    direct, ambient, gloss = _shaded(street, weather, seen, surface, material)
    horizon = _rgb(weather.horizon)
    light = direct * _rgb(weather.sun)
    light += ambient * _rgb(weather.sky)
    light *= paint
    light += glow
    light += (gloss * ambient) * horizon
    if weather.wet:
        _wet(weather, light, np.take(_PAVED, material), surface.depth)
    air = 1 - np.exp(np.minimum(surface.depth, 1e4) * np.float32(-weather.haze))
    light += air * (horizon - light)
    sky = np.flatnonzero(face == 0)
    u, v = surface.u.take(sky), surface.v.take(sky)
    _put(light, sky, _sky(weather, u, v, _taken(texture, sky)))
    return light


def _rgb(color) -> np.ndarray:
    """A colour as (3, 1, 1) float32."""
    return np.array(color, np.float32)[:, None, None]


def _taken(planes: np.ndarray, spots: np.ndarray) -> np.ndarray:
    """Some pixels of (3, height, width), by their places in the flattened image: (3, pixels)."""
    return planes.reshape(3, -1).take(spots, axis=1)


def _put(planes: np.ndarray, spots: np.ndarray, pixels: np.ndarray) -> None:
    """Sets what `_taken` takes, in place."""
    for plane, values in zip(planes, pixels, strict=True):
        plane.reshape(-1)[spots] = values


def _wet(weather: Weather, light, paved, depth) -> None:
    """Darken wet ground and let it mirror the sky's rim, the more the farther; in place."""
    wet = paved * np.float32(weather.wet)
    light *= 1 - 0.4 * wet
    light += (wet * np.clip(depth / 120, 0.04, 0.3)) * _rgb(weather.horizon)


def _texture(street: Street, seen: View, surface: Surface) -> np.ndarray:
    """The texture at each pixel, (3, height, width): `textures.sample`."""
    faces = street.faces
    kind = materials.column("texture")[faces.material]
    is_facade = faces.material == Material.FACADE
    kind[is_facade] = street.styles.texture[faces.style[is_facade]]
    tiles = 1 / materials.column("tile")[faces.material]
    start = (np.arange(len(kind)) * 0.618034 % 1).astype(np.float32)  # no two faces alike
    start[is_facade] = 0  # bricks meet the ground with a whole course
    tiles, start = seen.pixels(tiles), seen.pixels(start)
    s, t = surface.u * tiles + start, surface.v * tiles + start
    wide = np.maximum(surface.spread_u, surface.spread_v)
    narrow = np.minimum(surface.spread_u, surface.spread_v)
    spread = np.sqrt(wide * np.maximum(narrow, wide / 8)) * tiles
    sky = seen.face == 0
    rise = np.maximum(surface.v[sky], 0.02)
    s[sky], t[sky] = _CLOUD * surface.u[sky] / rise, _CLOUD / rise
    spread[sky] = 0.5 * _CLOUD * surface.spread_v[sky] / rise**2
    return textures.sample(seen.pixels(kind), s, t, spread)


def _shaded(street: Street, weather: Weather, seen: View, surface: Surface, material):
    """Sunlight, skylight and gloss that arrive at each pixel, (height, width) float32."""
    pose = street.faces.at(seen.time)
    x, y, z = (
        sum(
            seen.pixels(part[:, axis].astype(np.float32)) * factor
            for part, factor in zip(pose, (np.float32(1), surface.u, surface.v), strict=True)
        )
        for axis in range(3)
    )
    direct, ambient, gloss = _unshaded(street.faces, weather, seen, surface, material, pose)
    camera_z = float(seen.camera.position[2])
    sunlit, open_sky = shadows.on_ground(street, weather.direction, seen.time, camera_z, x, z)
    ground = np.take(_ON_GROUND, material)
    direct *= shadows.from_rows(street, weather.direction, x, y, z)
    direct *= np.where(ground, sunlit, 1)
    ambient *= np.where(ground, open_sky, 1) * _openness(street, x, y)
    return direct, ambient, gloss


def _unshaded(faces: Faces, weather: Weather, seen: View, surface: Surface, material, pose):
    """Sunlight, skylight and gloss at each pixel, (height, width) float32, without shadows."""
    origin, along, up = pose
    normal = np.cross(along, up)
    normal *= np.sign(np.einsum("ij,ij->i", normal, seen.camera.position - origin))[:, None]
    curve = materials.column("round")[faces.material]
    facing = np.maximum(normal @ weather.direction, 0.35 * curve)
    sideways = (along @ weather.direction) * curve

    def pixels(values):
        return seen.pixels(np.asarray(values, np.float32))

    across = surface.u * pixels(2 / faces.size[:, 0]) - 1
    height = surface.v * pixels(1 / faces.size[:, 1])
    direct = np.maximum(pixels(facing) + pixels(sideways) * across, 0)
    ambient = pixels(0.75 + 0.25 * normal[:, 1]) * (1 - pixels(0.45 * curve) * np.square(across))
    dim = np.where(material == Material.PAINT, 0.7 + 0.3 * height, 1)
    dim = np.where(material == Material.FOLIAGE, 0.35 + 0.75 * height, dim)
    gloss = np.take(materials.column("gloss"), material) * (0.3 + 0.7 * height)
    return direct * dim, ambient * dim, gloss


def _openness(street: Street, x, y) -> np.ndarray:
    """How much of the sky a point sees in the street's canyon, roughly."""
    near_wall = np.minimum(np.abs(x - street.walls[0]), np.abs(x - street.walls[1]))
    corner = 1 - 0.35 * np.exp(-1.2 * (near_wall + np.maximum(y, 0)))
    return corner * (0.72 + 0.02 * np.clip(y, 0, 14))


def _sky(weather: Weather, u, v, texture) -> np.ndarray:
    """The sky's pixels, (3, pixels), at directions (u, v, 1)."""
    rise = np.clip(v / np.sqrt(1 + u * u), 0, 1)
    horizon, zenith, cloud, sun = (
        np.array(color, np.float32)[:, None]
        for color in (weather.horizon, weather.zenith, weather.cloud, weather.sun)
    )
    color = horizon + np.sqrt(rise) * (zenith - horizon)
    x, y, z = weather.direction.astype(np.float32)
    toward = np.clip((u * x + v * y + z) / np.sqrt(1 + u * u + v * v), 0, 1)
    color += sun * (0.25 * toward**8)
    body = np.clip((texture - np.float32(1.45 - 0.75 * weather.cover)) * 2.5, 0, 1)
    body *= np.clip(rise * 8 - 0.4, 0, 0.9)
    return color + body * (cloud - color)
