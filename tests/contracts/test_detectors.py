"""Contract tests of the detectors of posediff and of installed plugins."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from posediff.testing import ContractCase
from posediff.testing.contracts.detectors import DetectorContract
from posediff.testing.example_files import write_keypoints

MOT_ROWS = '1,1,10,8,20,30,0.9,-1,-1,-1\n1,2,-5,0,9,9,0.5\n3,1,12,8,20,30,0.8\n'


def boxes_file(folder: Path) -> dict[str, Any]:
    path = folder / 'boxes.txt'
    path.write_text(MOT_ROWS)
    return {'path': path}


CASES = {
    'BoxesFileDetector': [ContractCase(boxes_file)],
    'KeypointsFileDetector': [ContractCase(lambda folder: {'path': write_keypoints(folder), 'skeleton': 'coco17'})],
    # RTMDet-tiny with random weights; some of its boxes exceed the threshold
    'MMDetDetector': [{'checkpoint': 'random', 'score_threshold': 0.0}],
    'MediaPipeDetector': [{}, {'levels': 1}],
    'WholeFrameDetector': [{}],
}


class TestDetectors(DetectorContract):
    cases = CASES
