"""Annotations of a frame in PoseTrack18's format (rules: docs/data_formats.md)."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np

from posediff.datasets.posetrack_writing import SequenceName, image_entry
from posediff.structures.skeletons import POSETRACK15
from posediff.synthetic.body import head_points, keypoints_3d
from posediff.synthetic.canvas import NEAR_MM, NEARNESS_MM
from posediff.synthetic.rendering import GROUND, WALL, Frame
from posediff.synthetic.scene import CROWD_TRACK, Person, Scene

MIN_JOINTS = 3  # persons with fewer visible joints are not annotated but in an ignore region
BOX_MARGIN = 0.15  # on every side, relative to the extent of the joints
MIN_BOX_MARGIN = 0.05  # minimum, relative to the longer extent, for joints in a line
IGNORE_GROWTH_PX = 2


def annotate(
    scene: Scene, sequence: SequenceName, number: int, frame: Frame, labelled: bool = True
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Return the ``images`` entry of a frame and the ``annotations`` of its persons, as values for JSON.

    Args:
        scene: The clip.
        sequence: Names of the clip.
        number: Index of the frame, from 0.
        frame: The rendered frame.
        labelled: False: the frame has no annotations, as most of PoseTrack's validation frames.
    """
    image_id = sequence.image_id(number)
    image = image_entry(sequence, number, scene.settings.frames, scene.settings.img_shape, labelled)
    if not labelled:
        return image, []
    annotations, annotated = [], []
    for owner, person in enumerate(scene.people, start=1):
        if person.track_id == CROWD_TRACK:
            continue
        entry = _annotate_person(person, owner, frame)
        if entry is None:
            continue
        annotated.append(owner)
        entry |= {
            'track_id': person.track_id,
            'person_id': sequence.number * 100 + person.track_id,
            'image_id': image_id,
            'scores': [],
            'category_id': 1,
            'id': image_id * 100 + person.track_id,
            'iscrowd': False,
        }
        annotations.append(entry)
    regions = _regions_to_ignore(frame.exact.owner, len(scene.people), annotated)
    image['ignore_regions_x'] = [region[:, 0].tolist() for region in regions]
    image['ignore_regions_y'] = [region[:, 1].tolist() for region in regions]
    return image, annotations


def _annotate_person(person: Person, owner: int, frame: Frame) -> dict[str, Any] | None:
    """Return boxes and keypoints of a person, or None if fewer than :data:`MIN_JOINTS` joints are visible.

    Args:
        person: The person.
        owner: Value of the person's pixels in the owner buffer.
        frame: The rendered frame.
    """
    joints, look = person.walk.at(frame.time), person.look(frame.time)
    points = frame.camera.world_to_camera(keypoints_3d(joints, look, person.scale))
    seen = joints_seen(frame, owner, points)
    if seen.sum() < MIN_JOINTS:
        return None
    pixels = np.round(frame.camera.project(points), 2)
    keypoints = np.zeros((len(POSETRACK15.joint_names), 3))
    keypoints[seen, :2], keypoints[seen, 2] = pixels[seen], 1
    keypoints = np.insert(keypoints, [3, 3], 0, axis=0)  # PoseTrack does not annotate ears
    least, most = pixels[seen].min(0), pixels[seen].max(0)
    margin = np.maximum(BOX_MARGIN * (most - least), MIN_BOX_MARGIN * (most - least).max())
    head = frame.camera.project(frame.camera.world_to_camera(head_points(joints, look, person.scale)))
    head = np.concatenate([head, pixels[:3]])
    head_least = np.floor(head.min(0))
    return {
        'bbox_head': [int(value) for value in (*head_least, *(np.ceil(head.max(0)) - head_least))],
        'keypoints': [int(value) if value == int(value) else float(value) for value in keypoints.ravel()],
        'bbox': np.round([*(least - margin), *(most - least + 2 * margin)], 2).tolist(),
        'num_keypoints': int(seen.sum()),
    }


def joints_seen(frame: Frame, owner: int, points: np.ndarray) -> np.ndarray:
    """Return the joints that PoseTrack would annotate: inside the image and not occluded by another person or object.

    Joints occluded by the person's own body are annotated.

    Args:
        frame: The rendered frame.
        owner: Owner value of the person's pixels.
        points: (K, 3) mm, camera frame.

    Returns:
        (K,) bool.
    """
    height, width = frame.exact.owner.shape
    pixels = frame.camera.project(points)
    column, row = np.floor(pixels + 0.5).T
    inside = (points[:, 2] > NEAR_MM) & (column >= 0) & (column < width) & (row >= 0) & (row < height)
    at = np.where(inside, row, 0).astype(int), np.where(inside, column, 0).astype(int)
    shown = frame.exact.owner[at]
    nearer = frame.exact.nearness[at] > NEARNESS_MM / points[:, 2]
    hidden = nearer & ~np.isin(shown, (owner, GROUND, WALL))
    return inside & ~hidden


def _regions_to_ignore(owner: np.ndarray, people: int, annotated: list[int]) -> list[np.ndarray]:
    """Return the outlines (N, 2), x and y, of visible persons without annotation."""
    nameless = [number for number in range(1, people + 1) if number not in annotated]
    mask = np.isin(owner, nameless).astype(np.uint8)
    if not mask.any():
        return []
    side = 2 * IGNORE_GROWTH_PX + 1
    grown = np.asarray(cv2.dilate(mask, np.ones((side, side), np.uint8)))
    grown[np.isin(owner, annotated)] = 0
    grown = np.asarray(cv2.morphologyEx(grown, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8)))  # removes specks
    outlines, _ = cv2.findContours(grown, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    regions = [cv2.approxPolyDP(outline, 1.0, True).reshape(-1, 2) for outline in outlines]
    return [region for region in regions if len(region) >= 3]
