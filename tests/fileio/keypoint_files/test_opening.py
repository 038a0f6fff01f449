"""A keypoint file is read once for the components that share it, and its content is released with them."""

from __future__ import annotations

import gc
import weakref

from posediff.detection import KeypointsFileDetector
from posediff.fileio.keypoint_files.opening import open_record
from posediff.pose_estimation import KeypointsFileEstimator
from posediff.testing.example_files import write_keypoints


def test_components_share_the_record_of_a_file_and_release_it(tmp_path):
    path = write_keypoints(tmp_path)
    detector, estimator = KeypointsFileDetector(path, 'coco17'), KeypointsFileEstimator(path, 'coco17')
    assert detector.record is estimator.record
    assert open_record(path, 'coco17') is detector.record
    assert open_record(path, 'coco17', keep_track_ids=False) is not detector.record
    record = weakref.ref(detector.record)
    del detector, estimator
    gc.collect()
    assert record() is None


def test_a_changed_file_is_read_again(tmp_path):
    path = write_keypoints(tmp_path)
    before = open_record(path, 'coco17')
    path.write_bytes(path.read_bytes() + b'\n')
    assert open_record(path, 'coco17') is not before
