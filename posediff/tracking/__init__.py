"""Who is who from frame to frame: detections of persons in, track ids out, one frame at a time.

``base`` is the contract, ``similarity`` compares boxes and poses, ``motion`` predicts where a person will be,
``pose_tracker`` puts these together, ``byte_track`` is MMDetection's tracker behind the same contract,
``given_ids`` keeps ids that a file holds.
"""

from posediff.tracking.base import BaseTracker, Detections
from posediff.tracking.byte_track import ByteTrackTracker
from posediff.tracking.given_ids import GivenIdsTracker
from posediff.tracking.pose_tracker import PoseTracker

__all__ = ['BaseTracker', 'ByteTrackTracker', 'Detections', 'GivenIdsTracker', 'PoseTracker']
