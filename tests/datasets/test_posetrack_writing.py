"""Writing of video datasets in PoseTrack18's layout."""

import numpy as np
import pytest

from posediff.datasets.posetrack_writing import jpeg

pytest.importorskip('cv2')


def test_an_image_that_jpeg_cannot_hold_is_named():
    assert jpeg(np.zeros((8, 8, 3), np.uint8), 90)[:2] == b'\xff\xd8'
    with pytest.raises(RuntimeError, match=r'^images/a/000003.jpg: OpenCV could not encode 70000x1 px as JPEG$'):
        jpeg(np.zeros((1, 70000, 3), np.uint8), 90, 'images/a/000003.jpg')
