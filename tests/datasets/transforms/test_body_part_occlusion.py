"""The transform that hides a part of the body."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from posediff.datasets.transforms.body_part_occlusion import BODY_PARTS, BodyPartOcclusion, body_part_joints
from posediff.structures.skeletons import get_skeleton


def window(seed, frames=9, skeleton='mediapipe17'):
    rng = np.random.default_rng(seed)
    joints = get_skeleton(skeleton).num_joints
    return {
        'keypoints_2d': rng.uniform(1, 99, (frames, joints, 2)).astype(np.float32),
        'keypoint_scores': rng.uniform(0.1, 1, (frames, joints)).astype(np.float32),
        'keypoint_mask': np.ones((frames, joints), np.float32),
        'skeleton': skeleton,
        'rng': rng,
    }


@given(
    seed=st.integers(0, 2**32 - 1),
    frames=st.integers(1, 30),
    part=st.sampled_from(list(BODY_PARTS)),
    partial=st.sampled_from([0.0, 0.5, 1.0]),
    skeleton=st.sampled_from(['mediapipe17', 'h36m17', 'posetrack15']),
)
def test_only_the_part_is_hidden_and_in_consecutive_frames(seed, frames, part, partial, skeleton):
    before = window(seed, frames, skeleton)
    after = BodyPartOcclusion(1.0, {part: 1.0}, partial)(dict(before))
    joints = body_part_joints(part, get_skeleton(skeleton))
    hidden = after['keypoint_mask'] == 0
    assert hidden[:, joints].any(axis=1).any()
    rows = np.flatnonzero(hidden.any(axis=1))
    assert (np.diff(rows) == 1).all()
    assert rows[0] == 0 or rows[-1] == frames - 1
    if partial == 0.0:
        assert len(rows) == frames
    expected = np.zeros_like(hidden)
    expected[np.ix_(rows, joints)] = True
    np.testing.assert_array_equal(hidden, expected)
    for name in ('keypoint_scores', 'keypoints_2d'):
        assert (after[name][hidden] == 0).all()
        np.testing.assert_array_equal(after[name][~hidden], before[name][~hidden])


def test_joints_between_hidden_ones_are_hidden():
    skeleton = get_skeleton('mediapipe17')
    names = {part: {skeleton.joint_names[index] for index in body_part_joints(part, skeleton)} for part in BODY_PARTS}
    assert names['legs'] == {'left_knee', 'right_knee', 'left_foot', 'right_foot'}
    assert names['lower_body'] == names['legs'] | {'left_hip', 'right_hip', 'root', 'spine'}
    assert {'left_shoulder', 'left_foot', 'root', 'spine', 'thorax', 'neck_base'} <= names['left_side']
    assert not any(name.startswith('right') for name in names['left_side'])
    assert set(skeleton.joint_names) - names['below_shoulders'] == {
        'head', 'thorax', 'neck_base', 'left_shoulder', 'right_shoulder'
    }  # fmt: skip


def test_probability_and_weights():
    rng = np.random.default_rng(0)
    transform = BodyPartOcclusion(0.25, {'legs': 3.0, 'feet': 1.0, 'left_side': 0.0}, partial=0.0)
    counts = {'none': 0, 'legs': 0, 'feet': 0}
    for _ in range(2000):
        one = window(0, 1)
        one['rng'] = rng
        hidden = int((transform(one)['keypoint_mask'] == 0).sum())
        counts[{0: 'none', 4: 'legs', 2: 'feet'}[hidden]] += 1
    assert abs(counts['none'] / 2000 - 0.75) < 0.04
    assert abs(counts['legs'] / (counts['legs'] + counts['feet']) - 0.75) < 0.06


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        ({'prob': 1.5}, r'BodyPartOcclusion: prob must lie in \[0, 1\], got 1.5'),
        ({'partial': -1}, r'BodyPartOcclusion: partial must lie in \[0, 1\], got -1'),
        ({'parts': {'tail': 1.0}}, "'tail'"),
        ({'parts': ['legs']}, r"parts must give a weight to each part, such as .*, got \['legs'\]"),
        ({'parts': {'legs': 0.0}}, 'parts must have weights of at least 0 and one above 0'),
        ({'parts': {}}, 'parts must have weights of at least 0 and one above 0'),
    ],
)
def test_wrong_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        BodyPartOcclusion(**arguments)
