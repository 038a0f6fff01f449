"""Crops without MMPose, against MMPose's transforms."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip('cv2')
mmpose = pytest.importorskip('mmpose.datasets.transforms')

from posediff.datasets.transforms.person_crop import CropPerson, PackClip  # noqa: E402

SIZES = st.tuples(st.integers(8, 40), st.integers(8, 40))


def results(box, frames=3):
    generator = np.random.default_rng(0)
    images = [generator.integers(0, 256, (60, 80, 3), np.uint8) for _ in range(frames)]
    return {
        'img': images, 'bbox': np.array([box], np.float32), 'bbox_score': np.ones(1, np.float32), 'id': 3,
        'sample_id': 'a/3', 'img_shape': (60, 80), 'ori_shape': (60, 80),
    }  # fmt: skip


@given(st.tuples(st.floats(-30, 70), st.floats(-30, 50), st.floats(1, 90), st.floats(1, 90)), SIZES, st.floats(0.5, 2))
@settings(max_examples=60)
def test_crops_are_those_of_mmpose(box, size, padding):
    x, y, width, height = box
    box = (x, y, x + width, y + height)
    ours = CropPerson(size, padding)(results(box))
    theirs = mmpose.GetBBoxCenterScale(padding=padding).transform(results(box))
    theirs = mmpose.TopdownAffine(input_size=size, use_udp=True).transform(theirs)
    for name in ('input_size', 'input_center', 'input_scale'):
        np.testing.assert_allclose(ours[name], theirs[name], rtol=1e-6)
    for own, other in zip(ours['img'], theirs['img'], strict=True):
        # OpenCV's warp rounds to 1/32 px: a last bit of the matrix may move a pixel by that
        assert own.shape == other.shape
        assert np.abs(own.astype(int) - other.astype(int)).max() <= 20
        assert np.abs(own.astype(int) - other.astype(int)).mean() < 0.2


def test_a_packed_clip_has_the_frames_channels_first_and_its_box():
    packed = PackClip()(CropPerson((12, 16))(results((10, 5, 40, 50))))
    assert packed['inputs'].shape == (3, 3, 16, 12)
    assert packed['inputs'].dtype == torch.uint8
    sample = packed['data_samples']
    assert sample.sample_id == 'a/3'
    assert sample.input_size == (12, 16)
    assert sample.gt_instances.bboxes.tolist() == [[10, 5, 40, 50]]
    first = CropPerson((12, 16))(results((10, 5, 40, 50)))['img'][1]
    assert torch.equal(packed['inputs'][1], torch.from_numpy(first.transpose(2, 0, 1)))
