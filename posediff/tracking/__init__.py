"""Tracking of persons: detections of one frame at a time in, track ids out.

``base`` defines the tracker interface, ``motion`` predicts where a person will be, ``pose_tracker`` associates by boxes
and poses, ``byte_track`` wraps MMDetection's ByteTrack, ``given_ids`` uses the track ids of a keypoint file,
``first_frames`` extends tracks to the frames before they were confirmed.
"""

from posediff.tracking.base import BaseTracker
from posediff.tracking.byte_track import ByteTrackTracker
from posediff.tracking.given_ids import GivenIdsTracker
from posediff.tracking.pose_tracker import PoseTracker

__all__ = ['BaseTracker', 'ByteTrackTracker', 'GivenIdsTracker', 'PoseTracker']
