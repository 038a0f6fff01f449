"""Motion from files and from the generator: bone lengths, feet, and subjects of the splits."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from posediff.datasets.mocap import VALIDATION_SUBJECTS
from posediff.structures.skeletons import CMU17, POSETRACK15
from posediff.synthetic.body import AVERAGE_STATURE, JOINT, keypoints_3d, stature_of
from posediff.synthetic.kinematics import ANKLE_HEIGHT, Angles, draw_proportions, pose_skeleton
from posediff.synthetic.motion_source import GeneratedMotion, MotionFiles, MotionSource, open_motion
from posediff.synthetic.motion_styles import STYLES


def moved(style: str, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return pose_skeleton(draw_proportions(rng), STYLES[style][0](rng, np.arange(150) / 50))


@pytest.mark.parametrize('style', STYLES)
def test_bones_keep_their_lengths_and_feet_stay_above_the_ground(style: str) -> None:
    joints = moved(style)
    assert joints.shape == (150, 17, 3)
    for child, parent in CMU17.segments:
        lengths = np.linalg.norm(joints[:, child] - joints[:, parent], axis=-1)
        np.testing.assert_allclose(lengths, lengths[0], rtol=1e-9)
    assert joints[:, [JOINT['left_foot'], JOINT['right_foot']], 2].min() >= ANKLE_HEIGHT - 1e-9
    assert np.abs(np.diff(joints, axis=0)).max() * 50 < 15  # m/s: no jumps


def test_standing_is_upright_looking_along_x_with_left_towards_y() -> None:
    joints = pose_skeleton(draw_proportions(np.random.default_rng(0)), Angles(2))[0]
    assert joints[JOINT['head'], 2] > joints[JOINT['thorax'], 2] > joints[JOINT['root'], 2]
    assert joints[JOINT['left_shoulder'], 1] > 0.1 > -0.1 > joints[JOINT['right_shoulder'], 1]
    names = list(POSETRACK15.joint_names)
    keypoints = keypoints_3d(joints * 1000, (0.0, 0.0), 1.0)
    assert keypoints[names.index('nose'), 0] > joints[JOINT['head'], 0] * 1000 + 90
    for name in ('shoulder', 'elbow', 'wrist', 'hip', 'knee'):
        for side in ('left', 'right'):
            expected = joints[JOINT[f'{side}_{name}']] * 1000
            np.testing.assert_allclose(keypoints[names.index(f'{side}_{name}')], expected)
    crown = keypoints[names.index('head_top'), 2]
    assert crown == pytest.approx(stature_of(joints[None] * 1000), rel=0.03)


@pytest.mark.parametrize(('style', 'least'), [('walk', 0.6), ('run', 1.0)])
def test_swinging_legs_carry_a_body_forward_and_the_lower_foot_does_not_slide(style: str, least: float) -> None:
    joints = moved(style)
    speed = np.linalg.norm(joints[-1, 0, :2] - joints[0, 0, :2]) / 3
    assert least < speed < 5
    feet = joints[:, [JOINT['left_foot'], JOINT['right_foot']]]
    apart = feet[:, 0, 2] - feet[:, 1, 2]
    slide = np.linalg.norm(np.diff(feet[..., :2], axis=0), axis=-1) * 50
    stands = slide[np.abs(apart[1:]) > 0.05, :]
    lower = (apart[1:] > 0).astype(int)[np.abs(apart[1:]) > 0.05]
    assert stands[np.arange(len(lower)), lower].max() < 0.1 * max(speed, 1)


def test_jumping_goes_straight_up() -> None:
    joints = moved('jump')
    high = joints[:, [JOINT['left_foot'], JOINT['right_foot']], 2].min(1) > ANKLE_HEIGHT + 0.1
    assert high.sum() > 5
    np.testing.assert_allclose(np.diff(joints[:, JOINT['root'], :2], axis=0)[high[1:]], 0, atol=1e-9)


@pytest.mark.parametrize('files', [False, True])
def test_splits_have_different_people_and_draws_repeat(files: bool, mocap_folder: Path) -> None:
    source: MotionSource = MotionFiles(mocap_folder) if files else GeneratedMotion(0)
    people = {split: set(source.subjects(split)) for split in ('train', 'val')}
    assert not people['train'] & people['val']
    if files:
        assert people['val'] == set(VALIDATION_SUBJECTS)
    for split, names in people.items():
        drawn = [source.draw(np.random.default_rng(seed), split, 0.5) for seed in range(4)]
        assert {motion.subject for motion in drawn} <= names
        again = open_motion(mocap_folder if files else None, 0).draw(np.random.default_rng(0), split, 0.5)
        np.testing.assert_array_equal(again.joints, drawn[0].joints)
        for motion in drawn:
            assert len(motion.joints) / motion.fps >= 0.5
            assert 0.5 < stature_of(motion.joints) / AVERAGE_STATURE < 1.3
            assert -100 < motion.joints[..., 2].min() < 400  # mm: on the ground


def test_short_takes_stand_still_at_their_end(mocap_folder: Path) -> None:
    motion = MotionFiles(mocap_folder).draw(np.random.default_rng(0), 'val', 60.0)
    assert len(motion.joints) >= 60 * motion.fps
    np.testing.assert_array_equal(motion.joints[-1], motion.joints[-2])


def test_missing_motion_is_named(tmp_path: Path, mocap_folder: Path) -> None:
    with pytest.raises(FileNotFoundError, match='no such folder.*--motion'):
        MotionFiles(tmp_path / 'nowhere')
    (tmp_path / '01.npz').symlink_to(mocap_folder / '01.npz')
    assert MotionFiles(tmp_path).subjects('train') == ['01']
    with pytest.raises(FileNotFoundError, match='validation subjects 02, 05, 29, 35'):
        MotionFiles(tmp_path).subjects('val')
