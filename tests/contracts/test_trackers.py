"""Contract tests of the trackers of posediff and of installed plugins."""

from __future__ import annotations

from posediff.testing import ContractCase
from posediff.testing.contracts.trackers import TrackerContract
from posediff.testing.example_files import write_keypoints

CASES = {
    'ByteTrackTracker': [{}],
    # the file has no ids: people are tracked
    'GivenIdsTracker': [ContractCase(lambda folder: {'path': write_keypoints(folder), 'skeleton': 'coco17'})],
    'PoseTracker': [{}],
}


class TestTrackers(TrackerContract):
    cases = CASES
