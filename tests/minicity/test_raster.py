"""Geometry against what follows by hand from a pinhole camera."""

from dataclasses import fields, replace

import numpy as np
import pytest

from sflowgan_tf.minicity import raster
from sflowgan_tf.minicity.camera import Drive
from sflowgan_tf.minicity.faces import FaceList, Label, Material
from sflowgan_tf.minicity.masks import Mask
from sflowgan_tf.minicity.street import lay_out

SIZE = WIDTH, HEIGHT = 128, 64
STRAIGHT = Drive(step=0.8, sway=0.0, yaw=0.0, pitch=0.0, period=40.0, phase=0.0)
CENTER_X, CENTER_Y = (WIDTH - 1) / 2, (HEIGHT - 1) / 2
X, Y = np.meshgrid(np.arange(WIDTH), np.arange(HEIGHT))


def views(faces, drive, first=0.0, second=1.0):
    return [raster.view(faces, drive.camera(t, 0.0, SIZE), t, SIZE) for t in (first, second)]


@pytest.fixture
def focal():
    return STRAIGHT.camera(0, 0.0, SIZE).matrix[0, 0]


@pytest.fixture
def ground():
    faces = FaceList()
    faces.add((-500, 0, -5), (1000, 0, 0), (0, 0, 2000), Label.ROAD, Material.ASPHALT, (1, 1, 1))
    return faces.table()


def test_ground_moves_and_lies_as_the_pinhole_says(ground, focal):
    camera_height = 1.5
    now, then = views(ground, STRAIGHT)
    flow, valid = raster.flow(now, then)
    below = now.face == 1
    assert below[int(CENTER_Y) + 2 :].all() and not below[: int(CENTER_Y)].any()
    depth = focal * camera_height / (Y[below] - CENTER_Y)
    grown = depth / (depth - STRAIGHT.step)  # by what the picture grows round its centre
    np.testing.assert_allclose(raster.surface(now).depth[below], depth, rtol=1e-4)
    np.testing.assert_allclose(flow[below][:, 0], (X[below] - CENTER_X) * (grown - 1), atol=2e-3)
    np.testing.assert_allclose(flow[below][:, 1], (Y[below] - CENTER_Y) * (grown - 1), atol=2e-3)
    new_x, new_y = X + flow[..., 0], Y + flow[..., 1]
    inside = (new_x > -0.5) & (new_x < WIDTH - 0.5) & (new_y > -0.5) & (new_y < HEIGHT - 0.5)
    assert (valid[below] <= inside[below]).all()


def test_sky_moves_by_rotation_alone(focal):
    sky = FaceList().table()
    still, then = views(sky, STRAIGHT, 0.0, 30.0)
    np.testing.assert_allclose(raster.flow(still, then)[0], 0, atol=1e-4)
    turning = replace(STRAIGHT, yaw=0.05, period=4.0)  # a quarter of a period: from 0 to 0.05
    now, then = views(sky, turning)
    flow, _ = raster.flow(now, then)
    row = int(CENTER_Y)
    angle = np.arctan((np.arange(WIDTH) - CENTER_X) / focal)
    expected = CENTER_X + focal * np.tan(angle - 0.05) - np.arange(WIDTH)
    np.testing.assert_allclose(flow[row, :, 0], expected, atol=1e-2)
    assert np.isinf(raster.surface(now).depth).all()


def test_a_face_that_moves_takes_its_pixels_along(focal):
    faces = FaceList()
    place, velocity = (-1, 0.5, 10), (0.4, 0.1, 0)
    kind = (Label.CAR, Material.PAINT, (1, 1, 1))
    faces.add(place, (2, 0, 0), (0, 2, 0), *kind, velocity=velocity)
    parked = replace(STRAIGHT, step=0.0)
    now, then = views(faces.table(), parked)
    flow, valid = raster.flow(now, then)
    body = now.face == 1
    np.testing.assert_allclose(
        flow[body], np.tile([focal * 0.04, -focal * 0.01], (body.sum(), 1)), atol=1e-3
    )
    assert valid[body].mean() > 0.8
    uncovered_then_hidden = ~body & (then.face == 1)
    assert uncovered_then_hidden.any() and not valid[uncovered_then_hidden].any()


def test_masks_cut_the_outline():
    faces = FaceList()
    faces.add(
        (-1, 0.5, 4), (2, 0, 0), (0, 2, 0), Label.SIGN, Material.LAMP, (1, 1, 1), mask=Mask.DISC
    )
    whole = replace(faces.table(), mask=np.zeros(2, np.uint8))
    part = (views(faces.table(), STRAIGHT)[0].face == 1).sum()
    assert part / (views(whole, STRAIGHT)[0].face == 1).sum() == pytest.approx(np.pi / 4, abs=0.04)


def test_one_sided_faces_are_seen_from_their_front_alone():
    for along, seen in ((-2, True), (2, False)):  # along x up: towards the camera, away from it
        faces = FaceList()
        kind = (Label.CAR, Material.PAINT, (1, 1, 1))
        faces.add((-along / 2, 0.5, 5), (along, 0, 0), (0, 2, 0), *kind, one_sided=True)
        assert (views(faces.table(), STRAIGHT)[0].face == 1).any() == seen


def test_what_hides_is_nearer_than_what_is_hidden():
    street = lay_out(np.random.default_rng(5), 5.0, 0.5)
    camera = STRAIGHT.camera(0, street.lane, SIZE)
    with_all = raster.view(street.faces, camera, 0, SIZE)
    thing = ~np.isin(street.faces.label, [Label.SKY, Label.BUILDING, Label.ROAD, Label.SIDEWALK])
    bare = replace(
        street.faces,
        **{f.name: getattr(street.faces, f.name)[~thing] for f in fields(street.faces)},
    )
    without = raster.view(bare, camera, 0, SIZE)
    hiding = thing[with_all.face]
    assert 0.02 < hiding.mean() < 0.98
    near, far = raster.surface(with_all).depth, raster.surface(without).depth
    assert (near[hiding] < far[hiding]).all()
    np.testing.assert_array_equal(near[~hiding], far[~hiding])


def test_near_faces_that_reach_behind_the_camera_are_whole(ground):
    face = views(ground, STRAIGHT)[0].face
    assert (face[-1] == 1).all()


def test_faces_painted_together_are_those_painted_one_by_one(monkeypatch):
    street = lay_out(np.random.default_rng(7), 8.0, 1.0)
    views_of_limits = []
    for pixels in (0, 200, SIZE[0] * SIZE[1]):
        monkeypatch.setattr(raster, "_SMALL", pixels)
        views_of_limits.append(views(street.faces, STRAIGHT)[0].face)
    one_by_one, *others = views_of_limits
    assert len(np.unique(one_by_one)) > 50
    for face in others:
        np.testing.assert_array_equal(face, one_by_one)


def test_a_faces_values_stand_at_its_pixels():
    street = lay_out(np.random.default_rng(7), 8.0, 1.0)
    seen, faces = views(street.faces, STRAIGHT)[0], street.faces
    np.testing.assert_array_equal(seen.pixels(faces.color.T), faces.color.T[:, seen.face])
    chosen = faces.label == Label.ROAD
    expected = faces.instance[seen.face[chosen[seen.face]]]
    np.testing.assert_array_equal(seen.some_pixels(chosen, faces.instance), expected)
