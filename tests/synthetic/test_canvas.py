"""Solids and panels are drawn at their projection, and nearer surfaces hide those behind."""

from __future__ import annotations

import numpy as np
import pytest

from posediff.geometry import Camera
from posediff.synthetic.canvas import NEARNESS_MM, Canvas
from posediff.synthetic.planes import Panel, draw_panel
from posediff.synthetic.solids import Light, Solid, draw_solid, texture_angles

CAMERA = Camera(np.array([80.0, 80.0]), np.array([31.5, 23.5]), (48, 64), np.eye(3), np.zeros(3))
LIGHT = Light(np.array([0.0, 0.0, -1.0]), np.array([0.0, -1.0, 0.0]), ambient=0.5, diffuse=0.5)
FRONT = np.array([0.0, 0.0, -1.0])
WHITE = np.full((8, 8, 3), 255, np.uint8)


def capsule(start, end, radii=(100.0, 100.0), front=FRONT, flatness=1.0, texture=WHITE) -> Solid:
    return Solid(np.array(start, float), np.array(end, float), *radii, np.array(front), texture, flatness)


def depth_of(picture: Canvas) -> np.ndarray:
    with np.errstate(divide='ignore'):
        return NEARNESS_MM / picture.nearness


def swept_depth(solid: Solid, balls: int = 300) -> np.ndarray:
    """Return the pixels (H, W) whose rays hit the union of many balls between the two, which defines the solid."""
    stretch = np.eye(3) + (1 / solid.flatness - 1) * np.outer(solid.front, solid.front)
    rows, columns = np.mgrid[: CAMERA.img_shape[0], : CAMERA.img_shape[1]]
    rays = np.stack([(columns - 31.5) / 80, (rows - 23.5) / 80, np.ones(rows.shape)], -1) @ stretch
    nearest = np.full(rows.shape, np.inf)
    for share in np.linspace(0, 1, balls):
        middle = stretch @ (solid.start + share * (solid.end - solid.start))
        radius = solid.start_radius + share * (solid.end_radius - solid.start_radius)
        square, toward = (rays**2).sum(-1), rays @ middle
        root = toward**2 - square * (middle @ middle - radius**2)
        depth = np.where(root >= 0, (toward - np.sqrt(np.maximum(root, 0))) / square, np.inf)
        nearest = np.minimum(nearest, depth)
    return nearest


@pytest.mark.parametrize(
    'solid',
    [
        capsule((-300, -100, 2000), (300, 200, 2200)),
        capsule((-200, -200, 1800), (250, 200, 1500), radii=(150, 40)),
        capsule((0, 0, 2500), (50, 0, 1500), radii=(60, 140)),  # towards the camera
        capsule((0, 0, 2000), (20, 0, 2000), radii=(150, 60)),  # one ball contains the other
        capsule((-100, -250, 2000), (100, 250, 2000), radii=(200, 120), front=(0.6, 0.0, -0.8), flatness=0.4),
        capsule((0, -100, 2000), (30, 100, 2000), radii=(150, 120), front=(0.0, 0.0, -1.0), flatness=1.5),
    ],
)
def test_solid_is_the_hull_of_its_balls(solid: Solid) -> None:
    picture = Canvas(CAMERA)
    draw_solid(picture, solid, 7, LIGHT)
    expected, found = swept_depth(solid), depth_of(picture)
    assert (np.isfinite(expected) != np.isfinite(found)).mean() < 0.005  # pixels on the outline
    both = np.isfinite(expected) & np.isfinite(found)
    assert both.sum() > 50
    np.testing.assert_allclose(found[both], expected[both], rtol=5e-3)
    assert (picture.owner[np.isfinite(found)] == 7).all()
    assert picture.color[both].max() > 200


def test_what_is_nearer_hides_what_is_behind_in_any_order() -> None:
    near, far = capsule((-100, 0, 1500), (100, 0, 1500)), capsule((0, -300, 2000), (0, 300, 2000))
    pictures = []
    for order in (((near, 1), (far, 2)), ((far, 2), (near, 1))):
        picture = Canvas(CAMERA)
        for solid, owner in order:
            draw_solid(picture, solid, owner, LIGHT)
        pictures.append(picture)
    assert pictures[0].owner[23, 31] == 1
    assert (pictures[0].owner == 2).any()
    np.testing.assert_array_equal(pictures[0].owner, pictures[1].owner)
    np.testing.assert_array_equal(pictures[0].color, pictures[1].color)


def test_texture_faces_front_and_goes_to_the_left_and_up() -> None:
    texture = np.zeros((40, 64, 3), np.uint8)
    angles = texture_angles(64)
    texture[:, np.abs(angles) < 0.4] = (255, 0, 0)  # the front is blue
    texture[:, (angles > 0.6) & (angles < 2.5)] = (0, 255, 0)  # the left is green
    texture[36:] = (0, 0, 255)  # the top is red
    picture = Canvas(CAMERA)  # an upright person that faces the camera: the left is on the right of the image
    draw_solid(picture, capsule((0, 250, 2000), (0, -250, 2000), (150, 150), texture=texture), 1, LIGHT)
    assert picture.color[23, 31].argmax() == 0
    assert picture.color[23, 36].argmax() == 1
    assert picture.color[9, 31].argmax() == 2
    assert picture.color[38, 31].argmax() == 0


def test_nothing_outside_the_image_or_at_the_camera_is_drawn() -> None:
    picture = Canvas(CAMERA)
    for place in ((5000, 0, 2000), (0, 0, -2000), (0, 0, 200)):
        draw_solid(picture, capsule(place, place), 1, LIGHT)
    assert not picture.owner.any()


@pytest.mark.parametrize('endless', [False, True])
def test_panel_lies_where_its_corners_are_projected(endless: bool) -> None:
    image = np.zeros((20, 20, 3), np.uint8)
    image[:10, :10], image[:10, 10:], image[10:, :10] = (255, 0, 0), (0, 255, 0), (0, 0, 255)
    corner, across, down = np.array([-400.0, -300, 2000]), np.array([700.0, 0, 300]), np.array([0.0, 600, 0])
    picture = Canvas(CAMERA)
    draw_panel(picture, Panel(corner, across, down, image, endless), 5)
    for right, low, color in ((0.25, 0.25, (255, 0, 0)), (0.75, 0.25, (0, 255, 0)), (0.25, 0.75, (0, 0, 255))):
        point = corner + right * across + low * down
        column, row = CAMERA.project(point).round().astype(int)
        np.testing.assert_array_equal(picture.color[row, column], color)
        assert depth_of(picture)[row, column] == pytest.approx(point[2], rel=0.02)
    assert (picture.owner == 5).all() == endless


def test_transparent_parts_of_a_panel_are_not_there() -> None:
    image = np.full((20, 20, 4), 255, np.uint8)
    image[:, 10:, 3] = 0
    picture = Canvas(CAMERA)
    panel = Panel(np.array([-200.0, -200, 2000]), np.array([400.0, 0, 0]), np.array([0, 400.0, 0]), image)
    draw_panel(picture, panel, 5)
    assert picture.owner[23, 26] == 5
    assert picture.owner[23, 36] == 0
