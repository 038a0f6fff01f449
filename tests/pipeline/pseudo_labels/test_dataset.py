"""Datasets of labelled videos, from given keypoints: what is written, resumed, and read again."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from posediff.datasets.posetrack_writing import SequenceName
from posediff.detection import KeypointsFileDetector
from posediff.pipeline.observing import Observer
from posediff.pipeline.pseudo_labels import LabelledSet, LabelRules, PseudoLabeller, dataset, video_key
from posediff.pose_estimation import KeypointsFileEstimator
from posediff.structures.posetrack_joints import POSETRACK18_KEYPOINTS
from posediff.structures.skeletons import COCO17
from posediff.tracking import PoseTracker
from posediff.video import LiveVideo, VideoSource, open_video

FRAMES, HEIGHT, WIDTH = 9, 72, 96
NAME = '000001_mpiinew_pseudo_train'


def colour(frame: int) -> list[int]:
    """Return blue, green and red of a frame."""
    return [20 * frame, 100, 200 - 20 * frame]


@pytest.fixture(scope='module')
def clip(tmp_path_factory) -> Path:
    """Write a folder of images in one colour each."""
    folder = tmp_path_factory.mktemp('videos') / 'clip'
    folder.mkdir()
    for number in range(FRAMES):
        cv2.imwrite(str(folder / f'{number}.png'), np.full((HEIGHT, WIDTH, 3), colour(number), np.uint8))
    return folder


@pytest.fixture(scope='module')
def keypoints() -> np.ndarray:
    """(2, F, 17, 2) px: two people side by side, who move; a wrist is wrong in frame 4, an ankle is below the image."""
    rng = np.random.default_rng(1)
    shape = rng.uniform([5, 8], [35, 64], (2, 1, 17, 2)) + [[[[0, 0]]], [[[50, 0]]]]
    points = shape + np.arange(FRAMES)[:, None, None] * [0.5, 0.25]
    points[0, 4, COCO17.joint_names.index('left_wrist')] += [25, 0]
    points[1, :, COCO17.joint_names.index('right_ankle'), 1] = HEIGHT + 2
    return points


@pytest.fixture(scope='module')
def labeller(keypoints, tmp_path_factory) -> PseudoLabeller:
    path = tmp_path_factory.mktemp('keypoints') / 'poses.npz'
    scores = np.full((2, FRAMES, 17), 0.9)
    scores[1, 6:, 5:14] = 0.1  # leaves too few joints
    frames = np.tile(np.arange(FRAMES), 2)
    np.savez(
        path,
        frame_index=frames,
        keypoints_2d=keypoints.reshape(-1, 17, 2),
        keypoint_scores=scores.reshape(-1, 17),
        keypoint_skeleton='coco17',
    )
    estimator = KeypointsFileEstimator(path, 'coco17')

    def new_observer(video) -> Observer:
        detector, tracker = KeypointsFileDetector(path, 'coco17'), PoseTracker(min_hits=1)
        return Observer(detector, estimator, tracker, min_pose_score=0.0, max_similarity=1.0)

    return PseudoLabeller(new_observer, estimator, LabelRules())


@pytest.fixture
def made(clip, labeller, tmp_path) -> Path:
    labelled = LabelledSet(tmp_path / 'set', {'seed': 1})
    labelled.add(open_video(clip, 25), labeller)
    labelled.finish()
    return tmp_path / 'set'


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob('*')) if path.is_file()}


def test_kept_keypoints_are_the_given_ones(made, keypoints, clip):
    document = json.loads((made / 'annotations/posetrack18_train.json').read_text())
    assert [image['file_name'] for image in document['images']] == [
        f'images/train/{NAME}/{number:06d}.jpg' for number in range(FRAMES)
    ]
    assert all(image['nframes'] == FRAMES for image in document['images'])
    labelled = {(entry['image_id'], entry['track_id']): entry for entry in document['annotations']}
    sequence = SequenceName('train', 1, 'pseudo')
    assert set(labelled) == {
        (sequence.image_id(frame), person) for person, last in ((0, 9), (1, 6)) for frame in range(last)
    }
    assert len({entry['id'] for entry in document['annotations']}) == len(labelled)
    columns = {name: COCO17.joint_names.index(name) for name in POSETRACK18_KEYPOINTS if name in COCO17.joint_names}
    for person in range(2):
        for frame in range(FRAMES):
            entry = labelled.get((sequence.image_id(frame), person))
            if entry is None:
                continue
            found = dict(zip(POSETRACK18_KEYPOINTS, np.reshape(entry['keypoints'], (17, 3)), strict=True))
            dropped = {'head_bottom', 'head_top', 'left_ear', 'right_ear'}
            dropped |= {'left_wrist'} if (person, frame) == (0, 4) else set()
            dropped |= {'right_ankle'} if person == 1 else set()
            for name, point in found.items():
                if name in dropped:
                    assert point.tolist() == [0, 0, 0]
                else:
                    np.testing.assert_allclose(point, [*keypoints[person, frame, columns[name]], 1], atol=0.0051)
            assert entry['num_keypoints'] == 17 - len(dropped)
            x, y, w, h = entry['bbox']
            kept = np.array([point[:2] for point in found.values() if point[2]])
            assert (kept >= np.array([x, y]) - 0.02).all()
            assert (kept <= np.array([x + w, y + h]) + 0.02).all()
    for number, image in enumerate(document['images']):
        picture = cv2.imread(str(made / image['file_name']))
        np.testing.assert_allclose(picture, np.full((HEIGHT, WIDTH, 3), colour(number)), atol=3)


def test_counts_say_why_keypoints_were_not_kept(made):
    written = json.loads((made / 'labels.json').read_text())
    total = written['total']
    assert (total['frames'], total['people'], total['people_labelled']) == (9, 18, 15)
    assert total['keypoints'] == {
        'kept': 9 * 13 - 1 + 6 * 12,
        'score too low': 3 * 9,
        'outside the image': 9,
        'differs in the mirrored image': 0,
        'differs from the neighbouring frames': 1,
        'of a person with too few keypoints': 3 * 3,
    }
    assert sum(total['keypoints'].values()) == 18 * 13
    assert total['joints']['left_wrist'] == [8 + 6, 18]
    assert [video['keypoints'] for video in written['videos']] == [total['keypoints']]


def test_a_complete_video_is_not_labelled_again(made, clip, labeller, tmp_path):
    before = contents(made)
    again = LabelledSet(made, {'seed': 1})
    assert clip in again
    again.finish()
    assert contents(made) == before
    other = tmp_path / 'other'
    other.symlink_to(clip)
    assert other in again
    with pytest.raises(FileExistsError, match='made with other arguments: seed 1, not 2'):
        LabelledSet(made, {'seed': 2})


def test_an_interrupted_video_is_labelled_from_its_start(made, clip, labeller, tmp_path, monkeypatch):
    calls, jpeg = [], dataset.jpeg

    def failing(image, quality, name):
        calls.append(quality)
        if len(calls) == 4:
            raise KeyboardInterrupt
        return jpeg(image, quality)

    monkeypatch.setattr(dataset, 'jpeg', failing)
    folder = tmp_path / 'again'
    with pytest.raises(KeyboardInterrupt):
        LabelledSet(folder, {'seed': 1}).add(open_video(clip, 25), labeller)
    monkeypatch.undo()
    assert not list(folder.rglob('*/[0-9]*.json'))
    labelled = LabelledSet(folder, {'seed': 1})
    assert clip not in labelled
    labelled.add(open_video(clip, 25), labeller)
    labelled.finish()
    assert contents(folder) == contents(made)


def test_a_video_without_labels_is_remembered_and_has_no_images(clip, labeller, tmp_path):
    strict = PseudoLabeller(labeller.new_observer, labeller.mirrored, LabelRules(min_score=1.0))
    labelled = LabelledSet(tmp_path, {})
    assert labelled.add(open_video(clip, 25), strict).people_labelled == 0
    assert labelled.finish().people == 18
    assert clip in LabelledSet(tmp_path, {})
    assert not (tmp_path / 'images').exists()


def test_the_first_frames_only(clip, labeller, tmp_path):
    short = PseudoLabeller(labeller.new_observer, labeller.mirrored, LabelRules(), max_frames=5)
    labelled = LabelledSet(tmp_path, {})
    assert labelled.add(open_video(clip, 25), short).frames == 5
    assert len(list((tmp_path / 'images').rglob('*.jpg'))) == 5


def test_a_live_video_is_refused_and_nothing_is_written(clip, labeller, tmp_path):
    labelled = LabelledSet(tmp_path / 'set', {})
    with pytest.raises(ValueError, match='cannot be read again; record it to a file'):
        labelled.add(LiveVideo(clip, 25), labeller)
    assert not (tmp_path / 'set').exists()


class Shortened(VideoSource):
    """Has a frame less when it is read for the third time."""

    readings = 0

    def __iter__(self):
        self.readings += 1
        return itertools.islice(self.frames(), FRAMES - (self.readings == 3))


def test_a_video_that_changes_is_not_added(clip, labeller, tmp_path):
    with pytest.raises(ValueError, match='had 9 frames, but 8 when read again'):
        LabelledSet(tmp_path, {}).add(Shortened(clip, 25), labeller)
    labelled = LabelledSet(tmp_path, {})
    assert clip not in labelled
    assert labelled.add(open_video(clip, 25), labeller).frames == FRAMES


def test_a_video_has_one_key(clip, tmp_path, monkeypatch):
    monkeypatch.chdir(clip.parent)
    names = [clip, clip.name, f'./{clip.name}', f'{clip}/../{clip.name}', f'file://{clip}']
    assert {video_key(name) for name in names} == {str(clip.resolve())}
    assert video_key('none.mp4') == str(clip.parent.resolve() / 'none.mp4')


def test_a_folder_of_something_else_is_left_alone(tmp_path):
    (tmp_path / 'thesis.tex').touch()
    with pytest.raises(FileExistsError, match='not empty'):
        LabelledSet(tmp_path, {})
    assert [path.name for path in tmp_path.iterdir()] == ['thesis.tex']


def test_a_skeleton_with_too_few_joints_is_refused(labeller):
    with pytest.raises(ValueError, match='coco17 has 13 joints of PoseTrack'):
        PseudoLabeller(labeller.new_observer, labeller.mirrored, LabelRules(min_joints=14))


def test_it_is_a_dataset_for_training(made):
    pytest.importorskip('mmpose')
    from posediff.registry import DATASETS

    source = {'data_root': str(made), 'ann_file': 'annotations/posetrack18_train.json', 'data_prefix': {'img': ''}}
    clips = DATASETS.build({'type': 'PoseTrackClipDataset', 'source': source, 'pipeline': [{'type': 'LoadClip'}]})
    assert len(clips) == 15
    item = clips[4]
    assert len(item['img']) == 5
    assert item['keypoints_visible'].sum() in (11, 12, 13)
