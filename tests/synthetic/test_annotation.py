"""Annotations agree with the geometry and the image."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from posediff.datasets.posetrack_writing import SequenceName
from posediff.structures.posetrack_joints import POSETRACK18_KEYPOINTS
from posediff.structures.skeletons import POSETRACK15
from posediff.synthetic.annotation import annotate, joints_seen
from posediff.synthetic.body import JOINT, head_axes, keypoints_3d
from posediff.synthetic.canvas import NEARNESS_MM
from posediff.synthetic.motion_source import GeneratedMotion
from posediff.synthetic.rendering import FIRST_PROP, Frame
from posediff.synthetic.scene import CROWD_TRACK, ClipSettings, Person, Scene
from posediff.synthetic.scene_drawing import draw_scene

Clips = list[tuple[Scene, list[Frame]]]
JOINTS = [POSETRACK18_KEYPOINTS.index(name) for name in POSETRACK15.joint_names]


def projected(person: Person, frame: Frame) -> tuple[np.ndarray, np.ndarray]:
    """Return joints (15, 2) px and depths (15,) mm of a person."""
    points = keypoints_3d(person.walk.at(frame.time), person.look(frame.time), person.scale)
    points = frame.camera.world_to_camera(points)
    return frame.camera.project(points), points[:, 2]


def annotated(clips: Clips):
    """Yield every annotation with its person, the number of the person in the image, and the frame."""
    for scene, frames in clips:
        for number, frame in enumerate(frames):
            image, annotations = annotate(scene, SequenceName.of('train', scene.index, 'synthetic'), number, frame)
            for entry in annotations:
                assert entry['image_id'] == image['id']
                yield entry, scene.people[entry['track_id']], entry['track_id'] + 1, frame


def test_keypoints_are_where_joints_are_projected_and_boxes_hold_them(clips: Clips) -> None:
    found = 0
    for entry, person, _, frame in annotated(clips):
        keypoints = np.array(entry['keypoints'], float).reshape(17, 3)
        seen = keypoints[JOINTS, 2] == 1
        pixels, _ = projected(person, frame)
        np.testing.assert_allclose(keypoints[JOINTS, :2][seen], pixels[seen], atol=0.006)
        assert not keypoints[JOINTS][~seen].any()
        assert not keypoints[3:5].any()
        assert entry['num_keypoints'] == seen.sum() >= 3
        left, top, width, height = entry['bbox']
        inside = (pixels[seen] > [left, top]) & (pixels[seen] < [left + width, top + height])
        assert inside.all()
        left, top, width, height = entry['bbox_head']
        assert ((pixels[:3] >= [left, top]) & (pixels[:3] <= [left + width, top + height])).all()
        assert 0.05 < np.hypot(width, height) / np.ptp(projected(person, frame)[0], axis=0).max() < 1.5
        found += seen.sum()
    assert found > 100


def test_a_seen_joint_shows_its_person_and_an_absent_one_is_hidden_or_outside(clips: Clips) -> None:
    own = hidden = outside = 0
    for entry, person, owner, frame in annotated(clips):
        keypoints = np.array(entry['keypoints'], float).reshape(17, 3)
        pixels, depths = projected(person, frame)
        rows, columns = frame.exact.owner.shape
        for (x, y), depth, visible in zip(pixels, depths, keypoints[JOINTS, 2], strict=True):
            column, row = int(np.floor(x + 0.5)), int(np.floor(y + 0.5))
            if not (0 <= column < columns and 0 <= row < rows):
                assert not visible
                outside += 1
                continue
            shown, in_front = frame.exact.owner[row, column], NEARNESS_MM / frame.exact.nearness[row, column] < depth
            if visible:
                assert shown == owner or shown <= 0 or not in_front
                own += shown == owner
            else:
                assert shown > 0
                assert shown != owner
                assert in_front
                hidden += 1
    assert own > 100
    assert hidden > 5
    assert outside > 5


def test_a_thing_hides_joints_only_in_front(clips: Clips) -> None:
    scene, frames = clips[1]
    frame = frames[0]
    points = np.array([[0.0, 0, 2000], [0, 0, 4000]])
    for shown, nearness, expected in (
        (FIRST_PROP, NEARNESS_MM / 3000, [True, False]),
        (1, NEARNESS_MM / 1000, [True, True]),  # occluded by the person's own body
        (2, NEARNESS_MM / 1000, [False, False]),
        (0, NEARNESS_MM / 1000, [True, True]),  # feet inside the ground
    ):
        picture = Frame(frame.image, _Fake(frame, shown, nearness), frame.camera, frame.time)  # type: ignore[arg-type]
        assert joints_seen(picture, 1, points).tolist() == expected


class _Fake:
    """Create an image buffer with one owner at one depth."""

    def __init__(self, frame: Frame, owner: int, nearness: float) -> None:
        self.owner = np.full(frame.exact.owner.shape, owner, np.int16)
        self.nearness = np.full(self.owner.shape, nearness, np.float32)


def test_people_without_annotation_lie_in_regions_to_ignore(clips: Clips) -> None:
    crowds = 0
    for scene, frames in clips:
        for number, frame in enumerate(frames):
            image, annotations = annotate(scene, SequenceName.of('train', scene.index, 'synthetic'), number, frame)
            named = [entry['track_id'] + 1 for entry in annotations]
            owner = frame.exact.owner
            nameless = (owner > 0) & (owner <= len(scene.people)) & ~np.isin(owner, named)
            covered = np.zeros(owner.shape, np.uint8)
            for x, y in zip(image.get('ignore_regions_x', []), image.get('ignore_regions_y', []), strict=True):
                assert len(x) >= 3
                cv2.fillPoly(covered, [np.stack([x, y], 1).astype(np.int32)], 1)
            assert nameless.sum() == 0 or covered[nameless].mean() > 0.8
            assert covered.sum() == 0 or nameless.any()
            crowds += any(person.track_id == CROWD_TRACK for person in scene.people) and covered.any()
    assert crowds


def test_nose_is_on_the_side_of_the_face(clips: Clips) -> None:
    for scene, _ in clips:
        for person in scene.tracks:
            joints, look = person.walk.at(0.0), person.look(0.0)
            axes = head_axes(joints, look)
            nose = keypoints_3d(joints, look, person.scale)[0] - joints[JOINT['head']]
            assert nose @ axes.front > 80 * person.scale
            left = joints[JOINT['left_shoulder']] - joints[JOINT['right_shoulder']]
            assert abs(look[0]) > 1.2 or axes.left @ left > 0


def test_scenes_follow_from_seed_split_and_index() -> None:
    settings = ClipSettings(seed=1, frames=4, img_shape=(60, 80))

    def numbers(split: str, index: int, seed: int = 1) -> list:
        scene = draw_scene(GeneratedMotion(seed), replace(settings, seed=seed), split, index)
        people = [(person.subject, person.looks_seed, person.walk.at(0.1).tolist()) for person in scene.people]
        return [people, scene.background_seed, scene.image_seed, scene.camera.at(0.1).t.tolist()]

    assert numbers('train', 0) == numbers('train', 0)
    others = [numbers('val', 0), numbers('train', 1), numbers('train', 0, seed=2)]
    assert all(other[1] != numbers('train', 0)[1] for other in others)


def test_splits_share_neither_people_nor_clothes_nor_backgrounds() -> None:
    found: dict[str, list[set]] = {}
    for split in ('train', 'val'):
        scenes = [draw_scene(GeneratedMotion(0), ClipSettings(seed=0, frames=2), split, index) for index in range(12)]
        found[split] = [
            {person.subject for scene in scenes for person in scene.people},
            {person.looks_seed for scene in scenes for person in scene.people},
            {scene.background_seed for scene in scenes},
        ]
    for train, val in zip(found['train'], found['val'], strict=True):
        assert len(train) > 3
        assert len(val) > 3
        assert not train & val


def test_subframes_are_odd() -> None:
    with pytest.raises(ValueError, match='odd'):
        ClipSettings(seed=0, subframes=2)
