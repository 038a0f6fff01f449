"""The codec of UDP against MMPose's."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip('cv2')
codecs = pytest.importorskip('mmpose.codecs')

from posediff.models.heads.udp_heatmap import UDPHeatmap  # noqa: E402

OPTIONS = {'input_size': (48, 64), 'heatmap_size': (12, 16)}


@given(st.integers(0, 2**32 - 1), st.sampled_from([1.0, 4 / 3, 2.0, 3.0]))
@settings(max_examples=50)
def test_heatmaps_are_those_of_mmpose(seed, sigma):
    """With a whole 3σ: otherwise MMPose puts Gaussians a cell away, near the left and top border or everywhere."""
    generator = np.random.default_rng(seed)
    keypoints = generator.uniform(-40, 110, (1, 9, 2)).astype(np.float32)
    visible = generator.choice([0, 1], (1, 9)).astype(np.float32)
    ours = UDPHeatmap(**OPTIONS, sigma=sigma).encode(keypoints, visible)
    theirs = codecs.UDPHeatmap(**OPTIONS, sigma=sigma).encode(keypoints, visible)
    np.testing.assert_allclose(ours['heatmaps'], theirs['heatmaps'], atol=1e-5)
    np.testing.assert_array_equal(ours['keypoint_weights'], theirs['keypoint_weights'])


@pytest.mark.parametrize('sigma', [0.8, 1.5, 2.0])
def test_a_gaussian_has_its_maximum_at_the_keypoint(sigma):
    """Also near a border, and where 3σ is not whole."""
    codec = UDPHeatmap(**OPTIONS, sigma=sigma)
    cells = np.array([[column, row] for column in (0, 1, 6, 11) for row in (0, 2, 9, 15)], np.float32)
    heatmaps = codec.encode(cells[None] * np.array([47 / 11, 63 / 15], np.float32))['heatmaps']
    rows, columns = np.unravel_index(heatmaps.reshape(len(cells), -1).argmax(1), heatmaps.shape[1:])
    np.testing.assert_array_equal(np.stack([columns, rows], -1), cells)
    np.testing.assert_allclose(heatmaps.max((1, 2)), 1, atol=1e-4)


@given(st.integers(0, 2**32 - 1), st.floats(0, 0.1), st.sampled_from([5, 11]))
@settings(max_examples=50)
def test_keypoints_are_those_of_mmpose(seed, noise, side):
    """A Gaussian with noise: same maxima and refinement, where MMPose's stays near the maximum."""
    generator = np.random.default_rng(seed)
    ours, theirs = UDPHeatmap(**OPTIONS, blur_kernel_size=side), codecs.UDPHeatmap(**OPTIONS, blur_kernel_size=side)
    keypoints = generator.uniform((4, 4), (44, 60), (1, 9, 2)).astype(np.float32)
    heatmaps = ours.encode(keypoints)['heatmaps'] * generator.uniform(0.05, 1, (9, 1, 1)).astype(np.float32)
    heatmaps += noise * generator.random(heatmaps.shape, np.float32)
    found, maxima = ours.decode(heatmaps.copy())
    expected, scores = theirs.decode(heatmaps.copy())
    np.testing.assert_allclose(maxima, scores[0])
    cell = np.array(OPTIONS['input_size']) / (np.array(OPTIONS['heatmap_size']) - 1)
    rows, columns = np.unravel_index(heatmaps.reshape(9, -1).argmax(1), heatmaps.shape[1:])
    near = (np.abs(expected[0] / cell - np.stack([columns, rows], -1)) <= side // 2 + 1).all(-1)
    np.testing.assert_allclose(found[near], expected[0][near], atol=2e-2)
    assert near.mean() > 0.5


def test_empty_maps_are_found_before_the_first_cell():
    found, maxima = UDPHeatmap(**OPTIONS).decode(np.zeros((2, 16, 12), np.float32))
    np.testing.assert_allclose(found, [[-48 / 11, -64 / 15]] * 2)
    assert maxima.tolist() == [0, 0]


def test_arguments_are_checked():
    with pytest.raises(ValueError, match='must be odd, got 2.0 and 4'):
        UDPHeatmap(**OPTIONS, blur_kernel_size=4)
    with pytest.raises(ValueError, match='sigma'):
        UDPHeatmap(**OPTIONS, sigma=float('nan'))
