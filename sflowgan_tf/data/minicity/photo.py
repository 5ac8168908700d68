"""The photograph: textures, light, shadows and air, as radiance before the lens.

All texture is a function of the surface alone, so a point looks the same in the next frame but for
the air before it.
"""

from __future__ import annotations

import numpy as np

from . import facade, materials, shadows, textures
from .facade import Facade
from .faces import Material
from .raster import Surface, View
from .street import Street
from .weather import Weather

_PAVED = np.isin(np.arange(len(Material)), [Material.ASPHALT, Material.PAVING, Material.MARKING])
_ON_GROUND = _PAVED | (np.arange(len(Material)) == Material.GRASS)
_LAMPLIGHT = np.array([1.6, 1.1, 0.6], np.float32)


def render(
    street: Street, weather: Weather, seen: View, surface: Surface, walls: Facade
) -> np.ndarray:
    """The light that reaches the camera.

    Args:
        street: the scene.
        weather: light and air.
        seen: the view.
        surface: its surface points.
        walls: its façade pixels.

    Returns:
        (height, width, 3) float32 linear RGB radiance, >= 0.
    """
    faces, face = street.faces, seen.face
    origin, along, up = faces.at(seen.time)
    material = np.take(faces.material, face)
    x, y, z = _positions(seen, surface, origin, along, up)
    texture = _texture(street, seen, surface)
    paint = np.take(np.square(faces.color), face.ravel(), axis=0) * texture.reshape(-1, 3)
    glow = np.square(faces.color) * materials.column("glow")[faces.material][:, None]
    glow = np.take(glow, face.ravel(), axis=0)
    paint[walls.spots], glow[walls.spots] = _facade(
        weather, walls, texture.reshape(-1, 3)[walls.spots]
    )
    direct, ambient, gloss = _light(street, weather, seen, surface, material, (origin, along, up))
    direct *= shadows.from_rows(street, weather.direction, x, y, z)
    sunlit, open_sky = shadows.on_ground(
        street, weather.direction, seen.time, float(seen.camera.position[2]), x, z
    )
    ground = np.take(_ON_GROUND, material)
    direct *= np.where(ground, sunlit, 1)
    ambient *= np.where(ground, open_sky, 1) * _openness(street, x, y)
    light = direct[..., None] * _rgb(weather.sun)
    light += ambient[..., None] * _rgb(weather.sky)
    light *= paint.reshape(light.shape)
    light += glow.reshape(light.shape)
    light += (gloss * ambient)[..., None] * _rgb(weather.horizon)
    if weather.wet:
        _wet(weather, light, np.take(_PAVED, material), surface.depth)
    clear = np.exp(-np.minimum(surface.depth, 1e4) * np.float32(weather.haze))[..., None]
    light += (1 - clear) * (_rgb(weather.horizon) - light)
    sky = np.flatnonzero(face == 0)
    light.reshape(-1, 3)[sky] = _sky(weather, surface, texture, sky)
    return light


def _rgb(color) -> np.ndarray:
    return np.array(color, np.float32)


def _wet(weather, light, paved, depth) -> None:
    """Darken wet ground and let it mirror the sky's rim, the more the farther; in place."""
    mirror = weather.wet * paved * np.clip(depth / 120, 0.04, 0.3)
    light *= 1 - 0.4 * weather.wet * paved[..., None]
    light += mirror[..., None] * _rgb(weather.horizon)


def _positions(seen, surface, origin, along, up):
    """World coordinates x, y, z of what the pixels show, each (height, width) float32."""
    return tuple(
        np.take(origin[:, axis].astype(np.float32), seen.face)
        + surface.u * np.take(along[:, axis].astype(np.float32), seen.face)
        + surface.v * np.take(up[:, axis].astype(np.float32), seen.face)
        for axis in range(3)
    )


def _texture(street, seen, surface) -> np.ndarray:
    faces = street.faces
    kind, tile = materials.column("texture"), materials.column("tile")
    by_face = kind[faces.material]
    is_facade = faces.material == Material.FACADE
    by_face[is_facade] = street.styles.texture[faces.style[is_facade]]
    scale = 1 / tile[faces.material]
    shift = (np.arange(len(by_face)) * 0.618034 % 1).astype(np.float32)
    shift[is_facade | (faces.material == Material.SKY)] = 0
    scale, shift = np.take(scale, seen.face), np.take(shift, seen.face)
    s, t = surface.u * scale + shift, surface.v * scale + shift
    wide = np.maximum(surface.spread_u, surface.spread_v)
    narrow = np.minimum(surface.spread_u, surface.spread_v)
    spread = np.sqrt(wide * np.maximum(narrow, wide / 8)) * scale
    sky = seen.face == 0
    rise = np.maximum(surface.v[sky], 0.02)
    s[sky], t[sky] = 0.12 * surface.u[sky] / rise, 0.12 / rise
    spread[sky] = 0.12 * surface.spread_v[sky] / rise**2 * np.float32(0.5)
    return textures.sample(np.take(by_face, seen.face), s, t, spread)


def _light(street, weather, seen, surface, material, pose):
    """Direct sun, skylight and gloss before any shadow, each (height, width) float32."""
    origin, along, up = pose
    faces = street.faces
    normal = np.cross(along, up)
    normal *= np.sign(np.einsum("ij,ij->i", normal, seen.camera.position - origin))[:, None]
    sun = weather.direction
    facing = np.maximum(normal @ sun, 0)
    above = 0.75 + 0.25 * normal[:, 1]
    curve = materials.column("round")[faces.material]
    sideways = (along @ sun) * curve
    facing = np.maximum(facing, 0.35 * curve)

    def pixels(values):
        return np.take(np.asarray(values, np.float32), seen.face)

    place = surface.u / pixels(faces.size[:, 0]) * 2 - 1
    direct = np.maximum(pixels(facing) + pixels(sideways) * place, 0)
    ambient = pixels(above) * (1 - 0.45 * pixels(curve) * np.square(place))
    leaves = material == Material.FOLIAGE
    height = surface.v / pixels(faces.size[:, 1])
    body = material == Material.PAINT
    shaded = np.where(leaves, 0.35 + 0.75 * height, np.where(body, 0.7 + 0.3 * height, 1))
    gloss = np.take(materials.column("gloss"), material) * (0.3 + 0.7 * height)
    return direct * shaded, ambient * shaded, gloss


def _openness(street, x, y) -> np.ndarray:
    """How much of the sky a point sees in the street's canyon, roughly."""
    near_wall = np.minimum(np.abs(x - street.walls[0]), np.abs(x - street.walls[1]))
    corner = 1 - 0.35 * np.exp(-(near_wall + np.maximum(y, 0)) * np.float32(1.2))
    return corner * (0.72 + np.clip(y, 0, 14) * np.float32(0.02))


def _sky(weather, surface, texture, spots) -> np.ndarray:
    u, v = np.take(surface.u, spots), np.take(surface.v, spots)
    rise = np.clip(v / np.sqrt(1 + u * u), 0, 1)[:, None]
    horizon = _rgb(weather.horizon)
    color = horizon + np.sqrt(rise) * (_rgb(weather.zenith) - horizon)
    length = np.sqrt(1 + u * u + v * v)
    sun = weather.direction
    toward = np.clip((u * sun[0] + v * sun[1] + sun[2]) / length, 0, 1)[:, None]
    color = color + _rgb(weather.sun) * (0.25 * toward**8)
    body = np.clip((texture.reshape(-1, 3)[spots] - (1.45 - 0.75 * weather.cover)) * 2.5, 0, 1)
    body = body * np.clip(rise * 8 - 0.4, 0, 0.9)
    return (color + body * (_rgb(weather.cloud) - color)).astype(np.float32)


def _facade(weather, parts: Facade, texture):
    """Paint and glow of the façade pixels, each (pixels, 3) float32."""
    style, u, v = parts.style, parts.u, parts.v
    spread_u, spread_v = parts.spread_u, parts.spread_v
    wall = np.square(parts.color)
    trim, leaf = np.square(style.trim), np.square(style.leaf)

    def mix(color, cover, paint):
        return color + np.clip(cover, 0, 1)[:, None] * (paint - color)

    color = mix(wall, parts.plinth, np.square(style.plinth)) * texture
    wide, tall = style.right - style.left, style.lintel - style.sill
    x, y = parts.x, parts.y
    stain = facade.band(x, -0.05, wide + 0.05, spread_u) * facade.band(y, -1.2, -0.1, spread_v)
    damp = np.clip(1 - v / 2.5, 0, 1) * 0.25 + stain * np.clip(1.2 + y, 0, 1) * 0.18
    color = color * (1 - damp)[:, None]
    border = facade.band(x, -0.14, wide + 0.14, spread_u)
    border = border * facade.band(y, -0.18, tall + 0.16, spread_v) * (v > style.ground)
    color = mix(color, border * (style.seed % 3 < 2), trim * texture)
    color = mix(color, parts.ledge, trim * texture)
    under = facade.band(v, style.ground - style.ledge - 0.25, style.ground - style.ledge, spread_v)
    color = color * (1 - 0.4 * under * (style.ledge > 0))[:, None]
    glass, light = _glass(weather, parts, wide, tall)
    color = mix(color, parts.sign, leaf * (0.8 + 0.4 * texture))
    slats = facade.stripes(v, np.float32(0.09), 0.0, 0.03, spread_v)
    color = mix(color, parts.shutter, leaf * (1 - 0.5 * slats)[:, None])
    color = mix(color, parts.window + parts.pane, glass)
    panel = facade.stripes(u - style.door, style.bay * 0.22, 0.1, style.bay * 0.22 - 0.05, spread_u)
    color = mix(color, parts.door, leaf * (0.6 + 0.4 * panel)[:, None] * texture)
    bars = facade.stripes(u, np.float32(0.13), 0.0, 0.03, spread_u)
    color = mix(color, parts.rail * (0.15 + 0.85 * bars), np.square(trim) * 0.3)
    return color, light * np.clip(parts.window + parts.pane, 0, 1)[:, None]


def _glass(weather, parts: Facade, wide, tall):
    """Windows seen close: frame, curtain, shadow of the reveal, mirrored sky, lamp light."""
    style, v, spread_u, spread_v = parts.style, parts.v, parts.spread_u, parts.spread_v
    x, y, chance = parts.x, parts.y, parts.chance
    inner = facade.band(x, 0.07, wide - 0.07, spread_u)
    inner = inner * facade.band(y, 0.07, tall - 0.07, spread_v)
    mullion = facade.band(x, wide / 2 - 0.035, wide / 2 + 0.035, spread_u)
    mullion = np.maximum(mullion, facade.band(y, tall * 0.68, tall * 0.68 + 0.05, spread_v))
    pane = np.where(parts.pane > 0, 1, inner * (1 - mullion))[:, None]
    sky = _rgb(weather.horizon)
    up = np.clip(0.1 + v / 20 + 0.5 * (chance - 0.5), 0.03, 0.7)[:, None]
    glass = 0.03 + 0.35 * up * up * sky
    drape = (chance * 7 % 1 < 0.55) * (y > tall * (chance * 13 % 1) * 0.8)
    fold = 0.75 + 0.25 * np.sin(x * 25) * np.clip(1 - spread_u * 8, 0, 1)
    cloth = (0.22 * drape * fold)[:, None] * np.array([1.0, 0.97, 0.9], np.float32)
    glass = glass + cloth * (parts.window > 0)[:, None]
    frame = np.square(style.trim) * 0.9
    color = frame + pane * (glass - frame)
    reveal = facade.band(y, tall - 0.22, tall, spread_v) * (parts.window > 0)
    color = color * (1 - 0.55 * reveal)[:, None]
    on = (chance * 29 % 1 < weather.lamps) * (0.4 + 0.6 * (chance * 41 % 1))
    light = (on[:, None] * pane) * _LAMPLIGHT * (0.35 + cloth)
    return color, light
