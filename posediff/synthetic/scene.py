"""Description of a clip as plain numbers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from posediff.synthetic.camera_path import CameraPath
from posediff.synthetic.placement import Walk

CROWD_TRACK = -1


@dataclass(frozen=True)
class Person:
    """One person in a clip.

    Attributes:
        track_id: 0, 1, … for annotated persons; ``CROWD_TRACK`` for persons in the background.
        subject: Subject of the motion.
        walk: Joints over time.
        scale: Stature in units of ``AVERAGE_STATURE``.
        looks_seed: Seed of build and clothes.
        look_waves: (2, 3) amplitude, rate and phase of yaw and pitch of the head; radians, radians/s, radians.
    """

    track_id: int
    subject: str
    walk: Walk
    scale: float
    looks_seed: int
    look_waves: np.ndarray

    def look(self, time: float) -> tuple[float, float]:
        """Return yaw and pitch of the head at a time in seconds, radians."""
        size, rate, phase = self.look_waves.T
        yaw, pitch = size * np.sin(rate * time + phase)
        return float(yaw), float(pitch)


@dataclass(frozen=True)
class ClipSettings:
    """Settings common to all clips of a set.

    Attributes:
        seed: Seed of the set.
        frames: Number of frames per clip.
        img_shape: (h, w) px.
        fps: Frames per second.
        subframes: Number of images averaged to one frame, odd; more give smoother edges and motion blur.
    """

    seed: int
    frames: int = 24
    img_shape: tuple[int, int] = (240, 320)
    fps: float = 25.0
    subframes: int = 3

    def __post_init__(self) -> None:
        if self.subframes % 2 == 0:
            raise ValueError(f'subframes must be odd, so that one is at the time of the frame, got {self.subframes}')

    @property
    def seconds(self) -> float:
        """Duration of a clip."""
        return self.frames / self.fps


@dataclass(frozen=True)
class Scene:
    """Description of one clip.

    Attributes:
        split, index: Split and number of the clip.
        settings: Settings of the set.
        camera: Camera path.
        people: Persons with a track id, then those of the crowd.
        background_seed: Seed of wall, ground and props.
        wall_distance: Distance of the back wall, mm.
        light_direction: (3,) unit vector towards the light, world frame.
        ambient, diffuse: Brightness in the shade, and the added brightness in the light.
        shutter: Fraction of the frame interval during which the shutter is open.
        blur: Lens blur, standard deviation in px.
        grain: Sensor noise, standard deviation in grey levels.
        exposure: (3,) contrast, brightness and the amplitude of its slow change; 1, 0, 0 is neutral.
        quality: JPEG quality.
        image_seed: Seed of the sensor noise.
    """

    split: str
    index: int
    settings: ClipSettings
    camera: CameraPath
    people: list[Person]
    background_seed: int
    wall_distance: float
    light_direction: np.ndarray
    ambient: float
    diffuse: float
    shutter: float
    blur: float
    grain: float
    exposure: np.ndarray
    quality: int
    image_seed: int

    @property
    def tracks(self) -> list[Person]:
        """Persons with a track id, which are annotated."""
        return [person for person in self.people if person.track_id != CROWD_TRACK]
