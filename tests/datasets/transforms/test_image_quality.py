"""Colour, blur, resolution, noise and compression of clips."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

cv2 = pytest.importorskip('cv2')

from posediff.datasets.transforms import (  # noqa: E402
    ClipBlur,
    ClipDownscale,
    ClipJpeg,
    ClipNoise,
    ClipPhotometricDistortion,
)
from posediff.datasets.transforms.image_quality import LUMA, chroma_matrix, motion_kernel  # noqa: E402
from posediff.registry import TRANSFORMS  # noqa: E402

ALL = [ClipPhotometricDistortion, ClipBlur, ClipDownscale, ClipNoise, ClipJpeg]
LABELS = ('keypoints', 'transformed_keypoints', 'keypoints_visible')
seeds = st.integers(0, 2**32 - 1)
each = pytest.mark.parametrize('transform', ALL, ids=lambda transform: transform.__name__)


def smooth(seed: int = 0) -> np.ndarray:
    """Return a picture (64, 48, 3) uint8 with a little detail and no black pixel."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(60, 200, (8, 6, 3), dtype=np.uint8)
    return cv2.resize(coarse, (48, 64), interpolation=cv2.INTER_CUBIC)


@each
@given(seed=seeds)
def test_labels_shapes_and_what_is_outside_of_the_picture_do_not_change(transform, clip, apply, seed):
    before = clip(seed)
    copies = [frame.copy() for frame in before['img']]
    after = apply(transform(prob=1.0), before, seed)
    for name in LABELS:
        np.testing.assert_array_equal(after[name], clip(seed)[name], err_msg=name)
    for frame, given_frame, copy in zip(after['img'], before['img'], copies):
        np.testing.assert_array_equal(given_frame, copy)
        assert frame.dtype == np.uint8
        assert frame.shape == copy.shape
        assert not frame[:, :12].any()


@each
def test_items_depend_on_the_seed_and_the_probability_only(transform, clip, apply):
    first, again, other = (apply(transform(prob=1.0), clip(), seed)['img'] for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert (np.stack(first) != np.stack(other)).any()
    np.testing.assert_array_equal(apply(transform(prob=0.0), clip(), 1)['img'], clip()['img'])
    changed = [(np.stack(apply(transform(prob=0.5), clip(), seed)['img']) != clip()['img']).any() for seed in range(60)]
    assert 15 < sum(changed) < 45


@each
def test_one_image_is_changed_like_a_clip_of_one_frame(transform, clip, apply):
    results = clip(frames=1)
    alone = apply(transform(prob=1.0), results | {'img': results['img'][0]})['img']
    np.testing.assert_array_equal(alone, apply(transform(prob=1.0), results)['img'][0])


@each
@given(seed=seeds)
def test_frames_that_are_equal_stay_equal_except_for_noise(transform, apply, seed):
    frames = apply(transform(prob=1.0), {'img': [smooth()] * 3}, seed)['img']
    same = [np.array_equal(frames[0], frame) for frame in frames]
    assert same == [True] * 3 or transform is ClipNoise
    assert not all(same) or transform is not ClipNoise


@given(seed=seeds)
def test_a_colour_becomes_the_same_colour_in_every_frame_and_place(apply, seed):
    picture = smooth(seed)
    moved = [np.roll(picture, shift, axis=(0, 1)) for shift in (0, 7, 20)]
    frames = apply(ClipPhotometricDistortion(prob=1.0), {'img': moved}, seed)['img']
    for frame, shift in zip(frames, (0, 7, 20)):
        np.testing.assert_array_equal(frame, np.roll(frames[0], shift, axis=(0, 1)))


@pytest.mark.parametrize(
    ('changes', 'expected'),
    [
        ({'brightness': (0.5, 0.5)}, lambda x, luma, mean: 0.5 * x),
        ({'contrast': (0.4, 0.4)}, lambda x, luma, mean: 0.4 * x + 0.6 * mean),
        ({'saturation': (0.3, 0.3)}, lambda x, luma, mean: 0.3 * x + 0.7 * luma),
        ({'gray_prob': 1.0}, lambda x, luma, mean: 0 * x + luma),
        ({}, lambda x, luma, mean: x),
    ],
)
def test_each_change_of_colour_is_what_it_is_called(apply, changes, expected):
    neutral = dict.fromkeys(('brightness', 'contrast', 'saturation'), (1, 1)) | {'hue': (0, 0), 'gray_prob': 0.0}
    found = apply(ClipPhotometricDistortion(prob=1.0, **(neutral | changes)), {'img': [smooth()]})['img'][0]
    picture = smooth().astype(float)
    luma = (picture @ LUMA)[..., None]
    assert np.abs(found - expected(picture, luma, luma.mean())).max() <= 1.0


@given(saturation=st.floats(0, 2), turn=st.floats(-3, 3), colour=st.tuples(*[st.floats(0, 255)] * 3))
def test_turning_the_hue_keeps_luma_and_grey(saturation, turn, colour):
    matrix = chroma_matrix(saturation, turn)
    np.testing.assert_allclose(LUMA @ matrix @ colour, LUMA @ colour, rtol=1e-3, atol=1e-2)
    np.testing.assert_allclose(matrix @ np.ones(3), np.ones(3), atol=1e-3)
    np.testing.assert_allclose(matrix @ chroma_matrix(1, -turn), chroma_matrix(saturation, 0), atol=1e-9)


@given(length=st.floats(1, 50), angle=st.floats(0, np.pi))
def test_motion_kernels_move_no_joint(length, angle):
    kernel = motion_kernel(length, angle)
    assert kernel.shape[0] == kernel.shape[1] <= length + 2
    assert kernel.shape[0] % 2 == 1
    assert kernel.sum() == pytest.approx(1)
    np.testing.assert_allclose(kernel, kernel[::-1, ::-1])
    rows, columns = np.nonzero(kernel)
    reach = max(np.ptp(rows), np.ptp(columns))
    assert abs(reach - max(abs(np.cos(angle)), abs(np.sin(angle))) * (length - 1)) <= 1.5


@pytest.mark.parametrize(
    'transform', [ClipBlur(1.0, motion_prob=0.0), ClipBlur(1.0, motion_prob=1.0), ClipDownscale(1.0)]
)
def test_blur_and_low_resolution_remove_detail_and_keep_the_mean(clip, apply, transform):
    picture = clip(frames=1)['img'][0][:, 12:]
    found = apply(transform, {'img': [picture]})['img'][0]
    assert found.std() < 0.95 * picture.std()
    assert found.mean() == pytest.approx(picture.mean(), abs=2)


def test_noise_has_the_given_strength_and_is_independent(apply):
    frames = apply(ClipNoise(prob=1.0, sigma=(9, 9)), {'img': [np.full((96, 96, 3), 128, np.uint8)] * 2})['img']
    noise = np.stack(frames).astype(float) - 128
    assert noise.std() == pytest.approx(9, rel=0.03)
    assert noise.mean() == pytest.approx(0, abs=0.2)
    assert abs(np.corrcoef(noise[0].ravel(), noise[1].ravel())[0, 1]) < 0.03
    assert abs(np.corrcoef(noise[0, ..., 0].ravel(), noise[0, ..., 1].ravel())[0, 1]) < 0.05


def test_a_lower_quality_is_further_from_the_picture(apply):
    errors = [
        np.abs(apply(ClipJpeg(1.0, quality=(quality, quality)), {'img': [smooth()]})['img'][0] - smooth().astype(float))
        for quality in (95, 50, 10)
    ]
    assert errors[0].mean() < errors[1].mean() < errors[2].mean()


@pytest.mark.parametrize(
    ('config', 'said'),
    [
        ({'type': 'ClipBlur', 'prob': 1.5}, 'ClipBlur: prob must be between 0 and 1, got 1.5'),
        ({'type': 'ClipBlur', 'sigma': (2, 1)}, r'ClipBlur: sigma must be \(low, high\), got \(2, 1\)'),
        ({'type': 'ClipBlur', 'motion_prob': -1}, 'motion_prob must be between 0 and 1'),
        ({'type': 'ClipNoise', 'sigma': 5}, r'ClipNoise: sigma must be two numbers \(low, high\), got 5'),
        ({'type': 'ClipNoise', 'sigma': (0, float('nan'))}, r'sigma\[1\] must be a finite number'),
        ({'type': 'ClipJpeg', 'quality': (0, 50)}, r'quality\[0\] must be between 1 and 100, got 0'),
        ({'type': 'ClipJpeg', 'quality': (1.5, 50)}, 'quality must be two whole numbers'),
        ({'type': 'ClipDownscale', 'factor': (0.5, 2)}, r'factor\[1\] must be between 0.05 and 1, got 2'),
        ({'type': 'ClipPhotometricDistortion', 'hue': (0, 200)}, r'hue\[1\] must be between -180 and 180, got 200'),
        ({'type': 'ClipPhotometricDistortion', 'gray_prob': 2}, 'gray_prob must be between 0 and 1'),
    ],
)
def test_senseless_arguments_are_refused(config, said):
    with pytest.raises(ValueError, match=said):
        TRANSFORMS.build(config)
