"""Renderer of a scene's frames."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import cv2
import numpy as np

from posediff.geometry.cameras import Camera
from posediff.synthetic.body import build_body
from posediff.synthetic.canvas import Canvas
from posediff.synthetic.planes import draw_panel
from posediff.synthetic.props import Surroundings, build_surroundings
from posediff.synthetic.scene import Scene
from posediff.synthetic.shadows import cast_shadows
from posediff.synthetic.solids import Light, Solid, draw_solid
from posediff.synthetic.wardrobe import Looks, draw_looks

# Pixel owners: person p of the scene is p + 1, props start at FIRST_PROP.
GROUND, WALL, FIRST_PROP = -1, 0, 1000


@dataclass(frozen=True)
class Frame:
    """One frame of a clip.

    Attributes:
        image: (H, W, 3) uint8, BGR, before JPEG.
        exact: Buffer at the frame's time without blur: owner and depth of each pixel.
        camera: Camera at the frame's time.
        time: Time in s.
    """

    image: np.ndarray
    exact: Canvas
    camera: Camera
    time: float


def render(scene: Scene) -> Iterator[Frame]:
    """Yield the frames of a scene in order."""
    looks = [draw_looks(np.random.default_rng(person.looks_seed)) for person in scene.people]
    surroundings = build_surroundings(scene)
    rng = np.random.default_rng(scene.image_seed)
    settings = scene.settings
    subframes = settings.subframes
    steps = (np.arange(subframes) - subframes // 2) / subframes
    for number in range(settings.frames):
        time = number / settings.fps
        total = np.zeros((*settings.img_shape, 3), np.float32)
        exact = None
        for index, step in enumerate(steps):
            moment = time + step * scene.shutter / settings.fps
            # rank-1 lattice: subframes sample different points of a pixel, the middle one its centre
            jitter = (float(step), float(np.mod(step * (subframes // 2 + 1) + 0.5, 1) - 0.5))
            picture = _take_picture(scene, surroundings, looks, moment, jitter)
            cv2.accumulate(picture.color, total)
            if index == subframes // 2:
                exact = picture
        assert exact is not None
        lit = cast_shadows(scene, exact.camera, time)
        lit[exact.owner != GROUND] = 1
        kept = (scene.ambient + scene.diffuse * lit) / (scene.ambient + scene.diffuse)
        yield Frame(_expose(scene, total * (kept / subframes)[..., None], time, rng), exact, exact.camera, time)


def _take_picture(
    scene: Scene,
    surroundings: Surroundings,
    looks: list[Looks],
    time: float,
    jitter: tuple[float, float],
) -> Canvas:
    camera = scene.camera.at(time)
    picture = Canvas(camera, jitter)
    light = Light(camera.R @ scene.light_direction, camera.R @ np.array([0, 0, 1.0]), scene.ambient, scene.diffuse)
    bodies: list[tuple[float, int, list[Solid]]] = []
    for number, person in enumerate(scene.people):
        joints = camera.world_to_camera(person.walk.at(time))
        solids = build_body(joints, person.look(time), person.scale, looks[number])
        bodies.append((float(joints[:, 2].mean()), number + 1, solids))
    for number, prop in enumerate(surroundings.props):
        offset = prop.velocity * (time - scene.settings.seconds / 2)
        if isinstance(prop.shape, Solid):
            solid = replace(
                prop.shape,
                start=camera.world_to_camera(prop.shape.start + offset),
                end=camera.world_to_camera(prop.shape.end + offset),
                front=camera.R @ prop.shape.front,
            )
            bodies.append((float(solid.start[2]), FIRST_PROP + number, [solid]))
        else:
            draw_panel(picture, prop.shape.moved(offset), FIRST_PROP + number)
    for _, owner, solids in sorted(bodies, key=lambda body: body[0]):  # front to back: hidden pixels are not shaded
        for solid in sorted(solids, key=lambda one: one.start[2] + one.end[2]):
            draw_solid(picture, solid, owner, light)
    draw_panel(picture, surroundings.ground, GROUND)
    draw_panel(picture, surroundings.wall, WALL)
    return picture


def _expose(scene: Scene, image: np.ndarray, time: float, rng: np.random.Generator) -> np.ndarray:
    """Apply lens, sensor and camera effects: (H, W, 3) float32 in 0 to 255 to uint8."""
    if scene.blur > 0.2:
        image = cv2.GaussianBlur(image, (0, 0), scene.blur)
    contrast, brightness, flicker = scene.exposure
    image = (image - 110) * contrast + (110 + brightness + flicker * np.sin(2 * time + scene.index))
    image = image + np.float32(scene.grain) * rng.standard_normal(image.shape, dtype=np.float32)
    return np.clip(image, 0, 255).astype(np.uint8)
