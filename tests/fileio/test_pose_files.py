"""Reading 2D keypoints and writing 3D poses."""

import json

import numpy as np
import pytest

from posediff.assets import DEMO_KEYPOINTS
from posediff.fileio.atomic_files import atomic_write
from posediff.fileio.pose_files import read_keypoints, write_poses
from posediff.structures.skeletons import H36M17


def write_clip(path, **changes):
    rng = np.random.default_rng(0)
    fields = {
        'keypoints_2d': rng.uniform(0, 500, (4, 17, 2)),
        'keypoint_scores': rng.uniform(0.5, 1, (4, 17)),
        'skeleton': np.array('coco17'),
        'fps': np.float64(25),
        'img_shape': np.array([480, 640]),
    } | changes
    np.savez(path, **{name: value for name, value in fields.items() if value is not None})
    return path


def test_the_shipped_clip_is_whole():
    clip = read_keypoints(DEMO_KEYPOINTS)
    assert clip.keypoints_2d.shape == (132, 33, 2)
    assert clip.keypoint_scores.shape == (132, 33)
    assert (clip.skeleton, clip.fps, clip.img_shape) == ('mediapipe33', 30.0, (994, 1768))
    assert 'Sports2D' in clip.source
    assert 'BSD' in str(np.load(DEMO_KEYPOINTS)['licence'])
    left, right = clip.keypoints_2d[:, 23, 0], clip.keypoints_2d[:, 24, 0]
    assert (left[-1] < left[0] - 500) and (right[-1] < right[0] - 500)  # noqa: PT018 (one walk to the left)
    assert DEMO_KEYPOINTS.stat().st_size < 300_000


def test_a_file_says_everything(tmp_path):
    clip = read_keypoints(write_clip(tmp_path / 'clip.npz'))
    assert clip.keypoints_2d.dtype == clip.keypoint_scores.dtype == np.float32
    assert (clip.skeleton, clip.fps, clip.img_shape, clip.source) == ('coco17', 25.0, (480, 640), 'clip.npz')


@pytest.mark.parametrize('channels', [2, 3])
def test_an_array_needs_the_rest_to_be_given(tmp_path, channels):
    array = np.random.default_rng(0).uniform(0, 500, (4, 17, channels))
    array[..., 2:] /= 500
    np.save(tmp_path / 'clip.npy', array)
    clip = read_keypoints(tmp_path / 'clip.npy', 'coco17', 30.0, (480, 640))
    np.testing.assert_array_equal(clip.keypoints_2d, array[..., :2].astype(np.float32))
    expected = array[..., 2] if channels == 3 else np.ones((4, 17))
    np.testing.assert_array_equal(clip.keypoint_scores, expected.astype(np.float32))
    with pytest.raises(ValueError, match='does not state its fps'):
        read_keypoints(tmp_path / 'clip.npy', 'coco17', img_shape=(480, 640))


def test_joints_that_were_not_seen(tmp_path):
    """NaN, a score of at most 0, and the position (0, 0) mark undetected keypoints; others are unchanged."""
    keypoints, scores = np.random.default_rng(1).uniform(9, 99, (4, 17, 2)), np.full((4, 17), 0.7)
    keypoints[1, 3], scores[1, 3] = np.nan, 0
    keypoints[1, 4, 0] = np.nan
    keypoints[1, 5] = 0
    scores[1, 6], scores[1, 7], scores[1, 8] = 0, np.nan, -0.02
    clip = read_keypoints(write_clip(tmp_path / 'clip.npz', keypoints_2d=keypoints, keypoint_scores=scores))
    unseen = np.zeros((4, 17), bool)
    unseen[1, 3:9] = True
    assert (np.isnan(clip.keypoints_2d).all(-1) == unseen).all()
    assert ((clip.keypoint_scores == 0) == unseen).all()
    np.testing.assert_array_equal(clip.keypoints_2d[~unseen], keypoints[~unseen].astype(np.float32))


def test_peaks_above_one_are_cut(tmp_path):
    clip = read_keypoints(write_clip(tmp_path / 'clip.npz', keypoint_scores=np.full((4, 17), 1.12)))
    assert (clip.keypoint_scores == 1).all()


def with_value(shape, index, value):
    array = np.full(shape, 50.0 if len(shape) == 3 else 0.5)
    array[index] = value
    return array


@pytest.mark.parametrize(
    ('changes', 'error', 'message'),
    [
        ({'keypoints_2d': np.zeros((4, 17))}, ValueError, r'must be \(F, K, 2\), got \(4, 17\)'),
        ({'keypoints_2d': np.ones((4, 33, 2)), 'keypoint_scores': None}, ValueError, r'of coco17 must be \(17, 2\)'),
        ({'keypoints_2d': np.zeros((0, 17, 2)), 'keypoint_scores': None}, ValueError, 'clip is empty'),
        ({'keypoints_2d': with_value((4, 17, 2), (2, 5, 0), -np.inf)}, ValueError, 'frame 2: left_shoulder is at'),
        ({'keypoints_2d': with_value((4, 17, 2), (0, 0, 1), np.inf)}, ValueError, 'frame 0: nose is at'),
        ({'keypoint_scores': np.zeros((4, 16))}, ValueError, 'keypoint_scores must be'),
        ({'keypoint_scores': with_value((4, 17), (1, 2), 1.5)}, ValueError, 'frame 1: .* got 1.5 of right_eye'),
        ({'keypoint_scores': with_value((4, 17), (1, 2), -4)}, ValueError, 'frame 1: .* got -4 of right_eye'),
        ({'keypoints_2d': np.full((4, 17, 2), 0.5)}, ValueError, 'of 640x480 px: .* --coordinates'),
        ({'skeleton': np.array('smpl')}, KeyError, "unknown skeleton 'smpl'"),
        ({'skeleton': None}, ValueError, 'does not state its skeleton'),
        ({'fps': np.float64(0)}, ValueError, 'fps must be positive'),
        ({'img_shape': np.array([480, 0])}, ValueError, 'img_shape must be'),
        ({'keypoints_2d': None}, ValueError, r'it holds keypoint_scores.*keypoints are read from: .*posediff'),
    ],
)
def test_bad_files_are_refused_by_name(tmp_path, changes, error, message):
    path = write_clip(tmp_path / 'clip.npz', **changes)
    with pytest.raises(error, match=message) as caught:
        read_keypoints(path)
    assert error is KeyError or 'clip.npz' in str(caught.value)


def test_missing_truncated_and_contradicted_files_are_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match=r'nowhere\.npz'):
        read_keypoints(tmp_path / 'nowhere.npz')
    whole = write_clip(tmp_path / 'whole.npz').read_bytes()
    for length in (0, 10, len(whole) // 2, len(whole) - 10):
        (tmp_path / 'cut.npz').write_bytes(whole[:length])
        with pytest.raises(ValueError, match=r'cut\.npz is not a readable'):
            read_keypoints(tmp_path / 'cut.npz')
    with pytest.raises(ValueError, match=r'states fps 25.0, not 30.0'):
        read_keypoints(tmp_path / 'whole.npz', fps=30.0)


def test_a_pickled_array_is_not_executed(tmp_path):
    np.save(tmp_path / 'evil.npy', np.array([{'a': 1}], dtype=object), allow_pickle=True)
    with pytest.raises(ValueError, match='evil.npy is not .* holds Python objects'):
        read_keypoints(tmp_path / 'evil.npy', 'coco17', 30.0, (480, 640))


def test_poses_say_what_they_are(tmp_path):
    joints = np.random.default_rng(0).normal(0, 300, (3, 17, 3)).astype(np.float32)
    std = np.ones((3, 17), np.float32)
    write_poses(tmp_path / 'a' / 'poses.json', joints, H36M17, 30.0, joints_3d_std=std, extra={'seed': np.int64(3)})
    document = json.loads((tmp_path / 'a' / 'poses.json').read_text())
    np.testing.assert_allclose(document['joints_3d'], joints, atol=0.051)
    assert document['schema_version'] == 1
    assert (document['units'], document['fps'], document['skeleton']) == ('mm', 30.0, 'h36m17')
    assert document['joint_names'] == list(H36M17.joint_names)
    assert (document['seed'], document['num_frames']) == (3, 3)
    assert np.shape(document['joints_3d_std']) == (3, 17)
    assert [file.name for file in (tmp_path / 'a').iterdir()] == ['poses.json']


def test_poses_that_are_not_finite_leave_the_old_file(tmp_path):
    path = tmp_path / 'poses.json'
    path.write_text('old')
    with pytest.raises(ValueError, match='not finite'):
        write_poses(path, np.full((3, 17, 3), np.nan), H36M17, 30.0)
    with pytest.raises(ValueError, match='JSON compliant'):
        write_poses(path, np.zeros((3, 17, 3)), H36M17, 30.0, extra={'loss': float('nan')})
    assert path.read_text() == 'old'
    assert list(tmp_path.iterdir()) == [path]


def test_a_failed_block_leaves_nothing(tmp_path):
    with pytest.raises(RuntimeError), atomic_write(tmp_path / 'new' / 'file.txt') as temporary:  # noqa: PT012
        temporary.write_text('half')
        raise RuntimeError
    assert list((tmp_path / 'new').iterdir()) == []
