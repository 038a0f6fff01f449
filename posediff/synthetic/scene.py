"""The description of a clip, as plain numbers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from posediff.synthetic.camera_path import CameraPath
from posediff.synthetic.placement import Walk

CROWD_TRACK = -1


@dataclass(frozen=True)
class Person:
    """Somebody in a clip.

    Attributes:
        track_id: 0, 1, … of those that are annotated; ``CROWD_TRACK`` of people in the background, who are not.
        subject: Whose motion it is.
        walk: Where the joints are, over time.
        scale: Stature in units of ``AVERAGE_STATURE``.
        looks_seed: Decides build and clothes.
        look_waves: (2, 3) size, rate and phase of yaw and pitch of the head; radians, radians/s, radians.
    """

    track_id: int
    subject: str
    walk: Walk
    scale: float
    looks_seed: int
    look_waves: np.ndarray

    def look(self, time: float) -> tuple[float, float]:
        """Yaw and pitch of the head at a time in seconds, radians."""
        size, rate, phase = self.look_waves.T
        yaw, pitch = size * np.sin(rate * time + phase)
        return float(yaw), float(pitch)


@dataclass(frozen=True)
class ClipSettings:
    """What all clips of a set have in common.

    Attributes:
        seed: Of the set.
        frames: Per clip.
        img_shape: (h, w) px.
        fps: Frames per second.
        subframes: Pictures that are averaged to one frame, an odd number; more make smoother edges and motion blur.
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
        """How long a clip lasts."""
        return self.frames / self.fps


@dataclass(frozen=True)
class Scene:
    """One clip.

    Attributes:
        split, index: Which.
        settings: Of the set.
        camera: How it is filmed.
        people: In it; those with a track id, then those of the crowd.
        background_seed: Decides wall, ground and props.
        wall_distance: Of the wall behind everything, mm.
        light_direction: (3,) unit vector towards the light, world frame.
        ambient, diffuse: Brightness in the shade, and what the light adds.
        shutter: Share of the time between frames during which the shutter is open.
        blur: Of the lens, standard deviation in px.
        grain: Of the sensor, standard deviation in grey levels.
        exposure: (3,) contrast, brightness and the size of its slow change; 1, 0, 0 leaves the picture as it is.
        quality: Of the JPEG files.
        image_seed: Decides the grain.
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
        """People who are annotated."""
        return [person for person in self.people if person.track_id != CROWD_TRACK]
