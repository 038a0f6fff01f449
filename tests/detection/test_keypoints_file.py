"""Files of keypoints in every form that is read, and what is wrong with others."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from posediff.detection import KeypointsFileDetector
from posediff.pose_estimation import FrameWindow, KeypointsFileEstimator
from posediff.structures.video_frame import VideoFrame

IMAGE = np.zeros((96, 128, 3), np.uint8)


@pytest.fixture
def points() -> np.ndarray:
    """(3, 17, 3): x, y, score of three people side by side."""
    rng = np.random.default_rng(0)
    places = rng.uniform([0, 10], [25, 90], (3, 17, 2)) + np.array([[[5, 0]], [[45, 0]], [[85, 0]]])
    return np.concatenate([places, rng.uniform(0.5, 1, (3, 17, 1))], -1).round(3)


def rows_of(form: str, points: np.ndarray, folder: Path) -> Path:
    """People 0 and 1 in frame 0, person 2 in frame 4, written in a form."""
    frames = [0, 0, 4]
    path = folder / f'{form}.json'
    if form == 'coco':
        document = [{'image_id': f, 'category_id': 1, 'keypoints': p.ravel().tolist()} for f, p in zip(frames, points)]
    elif form == 'mmpose':
        people = [{'keypoints': p[:, :2].tolist(), 'keypoint_scores': p[:, 2].tolist()} for p in points]
        document = [{'frame_id': 0, 'instances': people[:2]}, {'frame_id': 4, 'instances': people[2:]}]
    elif form == 'poses.json':
        rows = [
            {'frame_index': f, 'keypoints_2d': p[:, :2].tolist(), 'keypoint_scores': p[:, 2].tolist()}
            for f, p in zip(frames, points)
        ]
        document = {'keypoint_skeleton': 'coco17', 'rows': rows}
    else:
        path = folder / 'poses.npz'
        arrays = {'frame_index': frames, 'keypoints_2d': points[..., :2], 'keypoint_scores': points[..., 2]}
        np.savez(path, **arrays, keypoint_skeleton='coco17')
        return path
    path.write_text(json.dumps(document))
    return path


@pytest.mark.parametrize('form', ['coco', 'mmpose', 'poses.json', 'poses.npz'])
def test_people_come_back_from_their_boxes(form, points, tmp_path):
    path = rows_of(form, points, tmp_path)
    detector, estimator = KeypointsFileDetector(path, 'coco17'), KeypointsFileEstimator(path, 'coco17')
    assert estimator.skeleton.name == 'coco17'
    for frame, own in ((0, [0, 1]), (1, []), (4, [2])):
        picture = VideoFrame(frame, frame / 25, IMAGE)
        (people,) = detector([picture])
        (poses,) = estimator([FrameWindow((picture,), people)])
        np.testing.assert_allclose(poses.keypoints_2d, points[own, :, :2].reshape(-1, 17, 2), atol=1e-4)
        np.testing.assert_allclose(poses.keypoint_scores, points[own, :, 2].reshape(-1, 17), atol=1e-6)


def test_one_person_a_frame_with_what_was_not_seen(points, tmp_path):
    keypoints = points[:, :, :2].copy()
    keypoints[1, 5] = np.nan
    keypoints[2] = np.nan
    np.savez(tmp_path / 'one.npz', keypoints_2d=keypoints)
    detector = KeypointsFileDetector(tmp_path / 'one.npz', 'coco17')
    assert detector.record.people[1][0].scores.tolist() == [1.0] * 5 + [0.0] + [1.0] * 11
    assert [len(found) for found in detector([VideoFrame(number, 0.0, IMAGE) for number in range(3)])] == [1, 1, 0]


def test_what_somebody_else_numbered_is_looked_up_by_picture_and_own_results_by_frame(points, tmp_path):
    """Frame 4 of a video of uneven rate may show picture 7."""
    for form, picture in (('coco', 4), ('mmpose', 4), ('poses.json', 9)):
        frame = VideoFrame(4 if picture == 9 else 1, 0.1, IMAGE, picture=picture)
        (people,) = KeypointsFileDetector(rows_of(form, points, tmp_path), 'coco17')([frame])
        assert len(people) == 1


def test_poses_outside_the_picture_are_counted(points, tmp_path):
    points[1, :, 0] += 500
    detector = KeypointsFileDetector(rows_of('coco', points, tmp_path), 'coco17')
    assert [len(found) for found in detector([VideoFrame(number, 0.0, IMAGE) for number in range(5)])] == [
        1,
        0,
        0,
        0,
        1,
    ]
    assert (detector.num_looked_up, detector.num_outside, detector.num_pictures) == (3, 1, 5)


@pytest.mark.parametrize(
    ('name', 'content', 'said'),
    [
        ('a.json', '[{"image_id": 0, "keypoints": [1, 2', 'not readable JSON'),
        ('a.json', '{"a": 1}', 'format is not recognised'),
        ('a.json', '[{"image_id": 0, "keypoints": [1, 2, 1]}]', r'entry 0: keypoints of coco17 must be \(17, 2\)'),
        ('a.json', '[{"keypoints": [1, 2, 1]}]', 'entry 0: it names no frame'),
        ('a.json', json.dumps([{'image_id': -1, 'keypoints': [9, 9, 1] * 17}]), 'whole number from 0 .* got -1'),
        ('a.json', json.dumps([{'image_id': 0, 'keypoints': [7] * 51}]), r'score must be in \[0, 1\], got 7'),
        ('a.npz', 'PK', 'not a readable .npz'),
    ],
)
def test_what_is_wrong_is_named(tmp_path, name, content, said):
    (tmp_path / name).write_text(content)
    with pytest.raises(ValueError, match=said):
        KeypointsFileDetector(tmp_path / name, 'coco17')


def test_a_skeleton_is_needed_and_not_contradicted(points, tmp_path):
    with pytest.raises(ValueError, match='does not state its skeleton'):
        KeypointsFileEstimator(rows_of('coco', points, tmp_path))
    with pytest.raises(ValueError, match='states skeleton coco17, not halpe26'):
        KeypointsFileEstimator(rows_of('poses.npz', points, tmp_path), 'halpe26')
    with pytest.raises(FileNotFoundError, match='keypoints file no.json does not exist'):
        KeypointsFileDetector('no.json')
    with pytest.raises(KeyError, match="unknown skeleton 'coco18'"):
        KeypointsFileDetector(rows_of('coco', points, tmp_path), 'coco18')


def test_a_file_that_changed_is_read_again(points, tmp_path):
    path = rows_of('coco', points, tmp_path)
    first = KeypointsFileDetector(path, 'coco17').record
    assert KeypointsFileEstimator(path, 'coco17').record is first
    rows_of('coco', points[:, :, [0, 1, 2]] + np.array([1.0, 0, 0]), tmp_path)
    path.write_text(path.read_text() + ' ')
    assert KeypointsFileDetector(path, 'coco17').record is not first


@pytest.mark.parametrize('unseen', [0.0, 0.05])
def test_somebody_who_is_cut_by_the_picture_is_as_sure_as_others(unseen, points, tmp_path):
    """The tracker gives ids to people scored 0.6 and more: legs that are not seen must not lose the person."""
    points[0, :, 2] = 0.9
    points[0, 9:, 2] = unseen
    points[1, :, 2] = 0.2  # nobody, as before
    detector = KeypointsFileDetector(rows_of('coco', points, tmp_path), 'coco17')
    (people,) = detector([VideoFrame(0, 0.0, IMAGE)])
    np.testing.assert_allclose(people.scores, [0.9, 0.2], atol=1e-6)
