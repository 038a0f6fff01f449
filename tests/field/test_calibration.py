"""Lenses that are not of five coefficients."""

from __future__ import annotations

import numpy as np
import pytest

from posediff.geometry.calibration import read_calibration

POINTS = np.array([[100.0, 50.0], [600.0, 300.0], [20.0, 340.0]])


@pytest.mark.parametrize(
    ('case', 'name', 'right'),
    [
        ('fisheye-calibration', 'fisheye.toml', [[80.6, 38.5], [636.6, 315.7], [-30.7, 367.0]]),
        ('rational-lens', 'rational.toml', [[82.2, 39.4], [634.1, 314.6], [-27.0, 365.0]]),
    ],
)
def test_points_are_where_opencv_puts_them(field_case, case, name, right):
    found = read_calibration(field_case(case) / name)['cam_0'].undistort(POINTS)
    np.testing.assert_allclose(found, right, atol=0.06)
