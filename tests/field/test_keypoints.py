"""Keypoints and boxes that others wrote, as people bring them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from posediff.detection import BoxesFileDetector, KeypointsFileDetector
from posediff.fileio.keypoint_files import read_keypoint_file
from posediff.fileio.pose_files import read_keypoints
from posediff.structures.video_frame import VideoFrame

Case = Callable[[str], Path]
IMAGE = np.zeros((360, 640, 3), np.uint8)


@pytest.fixture(scope='module')
def video_to_3d(cli: Callable[[str], ModuleType]) -> ModuleType:
    pytest.importorskip('av')
    return cli('video')


@pytest.mark.parametrize(
    ('case', 'name', 'form', 'skeleton'),
    [
        ('alphapose-image-names', 'alphapose-results.json', 'alphapose', 'coco17'),
        ('float-image-id', 'pandas.json', 'coco', 'coco17'),
        ('mmpose-demo-frame-id', 'results_clip.json', 'mmpose', 'coco17'),
        ('openpose-json-folder', 'clip_json', 'openpose', 'body25'),
        ('simcc-scores-above-one', 'rtmpose.json', 'mmpose', 'coco17'),
        ('yolo-zero-keypoints', 'yolo.json', 'coco', 'coco17'),
    ],
)
def test_two_people_in_sixteen_frames(field_case: Case, case: str, name: str, form: str, skeleton: str) -> None:
    record = read_keypoint_file(field_case(case) / name, skeleton if skeleton == 'coco17' else None)
    assert (record.format, record.skeleton.name) == (form, skeleton)
    assert {frame: len(people) for frame, people in record.people.items()} == dict.fromkeys(range(16), 2)
    nose = record.people[0][0].keypoints[0]
    np.testing.assert_allclose(nose, [250.19, 45.02], atol=0.01)
    assert max(person.scores.max() for people in record.people.values() for person in people) == 1


def test_ankles_that_yolo_did_not_see_make_no_box(field_case: Case) -> None:
    detector = KeypointsFileDetector(field_case('yolo-zero-keypoints') / 'yolo.json', 'coco17')
    for people in detector([VideoFrame(frame, frame / 30, IMAGE) for frame in range(16)]):
        assert (people.boxes[:, :2] > 20).all()
    assert all((person.scores[15:] == 0).all() for people in detector.record.people.values() for person in people[:1])


def test_normalised_keypoints_are_refused_or_converted_by_name(field_case: Case) -> None:
    folder = field_case('normalised-keypoints')
    with pytest.raises(ValueError, match=r'normalised\.npz: x from .* does not fit pictures of 1768x994 px'):
        read_keypoints(folder / 'normalised.npz')
    converted = read_keypoints(folder / 'normalised.npz', coordinates='normalised')
    right = read_keypoints(folder / 'ok.npz')
    np.testing.assert_allclose(converted.keypoints_2d, right.keypoints_2d, atol=0.1)


def test_data_set_ids_lie_behind_the_video(
    field_case: Case, video_to_3d: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = field_case('keypoints-beyond-video')
    words = [
        folder / 'clip.mp4',
        '--keypoints',
        folder / 'coco_ids.json',
        '--skeleton',
        'coco17',
        '--out',
        tmp_path / 'o',
    ]
    with pytest.raises(SystemExit, match='2'):
        video_to_3d.main([str(word) for word in words])
    assert 'poses at frames 10003420000.. lie after the last frame (39)' in capsys.readouterr().err
    assert not (tmp_path / 'o').exists()


def test_boxes_without_scores_are_kept(field_case: Case) -> None:
    detector = BoxesFileDetector(field_case('mot-confidence-minus-one') / 'tracks.txt')
    found = detector([VideoFrame(frame, frame / 30, IMAGE) for frame in range(16)])
    assert [len(people) for people in found] == [2] * 16
    assert all((people.scores == 1).all() for people in found)
