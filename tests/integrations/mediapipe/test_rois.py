"""Geometry of rotated regions, against closed forms and on drawn images."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from posediff.integrations.mediapipe.rois import (
    check_image,
    check_rois,
    circle_boxes,
    crop_roi,
    roi_to_image,
    rois_from_boxes,
    rois_from_circles,
    rotations,
)

ANGLES = st.floats(-3.1, 3.1)


@pytest.mark.parametrize(
    ('towards', 'rotation'), [((0, -40), 0), ((40, 0), np.pi / 2), ((-40, 0), -np.pi / 2), ((0, 40), -np.pi)]
)
def test_roi_of_a_person_upright_lying_or_upside_down(towards, rotation):
    center = np.array([[100.0, 200.0]])
    roi = rois_from_circles(center, center + towards)
    np.testing.assert_allclose(roi, [[100, 200, 100, rotation]])


@given(angle=ANGLES, radius=st.floats(1, 500), x=st.floats(-100, 2000), y=st.floats(-100, 2000))
def test_the_circle_keeps_its_place_in_the_roi(angle, radius, x, y):
    center = np.array([x, y])
    rim = center + radius * np.array([np.sin(angle), -np.cos(angle)])
    roi = rois_from_circles(center[None], rim[None])
    np.testing.assert_allclose(roi, [[x, y, 2.5 * radius, angle]], atol=1e-6)
    # a margin of 1.25 puts the rim at 1 / 1.25 of the way from the centre to the upper side
    np.testing.assert_allclose(roi_to_image(roi, [[0.5, 0.5], [0.5, 0.1]])[0], [center, rim], atol=1e-6)
    np.testing.assert_allclose(circle_boxes(roi), [[x - radius, y - radius, x + radius, y + radius]], atol=1e-6)


@given(angle=ANGLES)
def test_corners_and_directions_turn_clockwise(angle):
    roi = np.array([[30.0, 20.0, 10.0, angle]])
    corners = roi_to_image(roi, [[0, 0], [1, 0], [1, 1], [0, 1]])[0]
    np.testing.assert_allclose(corners.mean(axis=0), [30, 20], atol=1e-9)
    right, down = corners[1] - corners[0], corners[3] - corners[0]
    np.testing.assert_allclose(right, [10 * np.cos(angle), 10 * np.sin(angle)], atol=1e-9)
    np.testing.assert_allclose(down, [-10 * np.sin(angle), 10 * np.cos(angle)], atol=1e-9)
    np.testing.assert_allclose(rotations(roi)[0], np.stack([right, down], axis=1) / 10, atol=1e-9)


def test_roi_around_a_box_is_upright_and_as_large_as_its_longer_side_wants():
    rois = rois_from_boxes([[10, 20, 30, 100], [0, 0, 50, 10]])
    np.testing.assert_allclose(rois, [[20, 60, 100, 0], [25, 5, 62.5, 0]])
    assert rois_from_boxes(np.zeros((0, 4))).shape == (0, 4)


def test_the_whole_image_is_cut_out_unchanged():
    image = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    crop = crop_roi(image, [32, 32, 64, 0], 64, extend_border=False)
    np.testing.assert_array_equal(crop, image)


def test_a_quarter_turn_moves_rows_to_columns():
    image = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    crop = crop_roi(image, [32, 32, 64, np.pi / 2], 64, extend_border=True)
    # the person's head is on the right, so the last column comes up; column 64 itself lies outside and is repeated
    np.testing.assert_array_equal(crop[1:], image[:, :0:-1].swapaxes(0, 1))
    np.testing.assert_array_equal(crop[0], image[:, -1])


def test_beyond_the_image_is_black_or_its_border():
    image = np.full((20, 40, 3), 200, np.uint8)
    letterbox = [20, 10, 40, 0]
    black = crop_roi(image, letterbox, 40, extend_border=False)
    assert (black[:10] == 0).all()
    assert (black[10:30] == 200).all()
    assert (black[30:] == 0).all()
    assert (crop_roi(image, letterbox, 40, extend_border=True) == 200).all()


@settings(max_examples=30)
@given(
    angle=ANGLES,
    size=st.floats(80, 200),
    offset=st.tuples(st.floats(-20, 20), st.floats(-20, 20)),
    spot=st.tuples(st.floats(0.3, 0.7), st.floats(0.3, 0.7)),
)
def test_a_spot_found_in_the_crop_maps_back_to_where_it_was_drawn(angle, size, offset, spot):
    roi = np.array([120 + offset[0], 110 + offset[1], size, angle])
    drawn = roi_to_image(roi[None], [spot])[0, 0]
    rows, columns = np.mgrid[:240, :260]
    glow = np.exp(-((columns - drawn[0]) ** 2 + (rows - drawn[1]) ** 2) / (2 * 4**2))
    image = np.repeat((255 * glow).round().astype(np.uint8)[..., None], 3, axis=2)

    crop = crop_roi(image, roi, 256, extend_border=False)[..., 0].astype(float)
    rows, columns = np.mgrid[:256, :256]
    center = np.array([(crop * columns).sum(), (crop * rows).sum()]) / crop.sum() / 256
    np.testing.assert_allclose(roi_to_image(roi[None], [center])[0, 0], drawn, atol=0.05)


def test_a_view_with_negative_strides_is_cut_like_its_copy():
    image = np.random.default_rng(0).integers(0, 256, (30, 40, 3), np.uint8)
    roi = [20, 15, 30, 0.3]
    np.testing.assert_array_equal(
        crop_roi(image[..., ::-1], roi, 32, extend_border=True), crop_roi(image, roi, 32, extend_border=True)[..., ::-1]
    )


@pytest.mark.parametrize(
    ('image', 'message'),
    [
        (np.zeros((4, 4), np.uint8), r'shape \(4, 4\)'),
        (np.zeros((4, 4, 4), np.uint8), r'shape \(4, 4, 4\)'),
        (np.zeros((0, 4, 3), np.uint8), r'shape \(0, 4, 3\)'),
        (np.zeros((4, 0, 3), np.uint8), r'shape \(4, 0, 3\)'),
        (np.full((4, 4, 3), np.nan), 'dtype float64'),
        ([[[0, 0, 0]]], 'got list'),
    ],
)
def test_what_is_no_image_is_an_error(image, message):
    with pytest.raises(ValueError, match=rf'someone: the image must be .*{message}'):
        check_image('someone', image)


@pytest.mark.parametrize(
    ('rois', 'message'),
    [
        (np.zeros(4), r'got shape \(4,\)'),
        (np.zeros((1, 5)), r'got shape \(1, 5\)'),
        ([[1, 2, 3, 0], [1, np.nan, 3, 0]], 'roi 1 must be finite'),
        ([[1, 2, 0, 0]], 'roi 0 must be finite and of positive size'),
        ([[1, 2, -5, 0]], r'got \[1\.0, 2\.0, -5\.0, 0\.0\]'),
    ],
)
def test_what_are_no_rois_is_an_error(rois, message):
    with pytest.raises(ValueError, match=f'someone: .*{message}'):
        check_rois('someone', rois)
