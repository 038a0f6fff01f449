"""The 3D stages of the pipeline: conversion of the joints, lifting, root position, smoothing, gaps."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator

import numpy as np

from posediff.geometry.root_position import fit_root_position
from posediff.lifting import LiftedFrames, LiftingStream
from posediff.pipeline.intrinsics import Intrinsics
from posediff.pipeline.joints_in_image import joints_in_image
from posediff.pipeline.root_filter import RootFilter
from posediff.pipeline.segments import LiftedFrame, Segment, SegmentFrame
from posediff.smoothing import BaseSmoother
from posediff.structures.frame_poses import FramePoses
from posediff.structures.results import FrameResult, PersonPose
from posediff.structures.skeleton_conversion import convert_joints, get_conversion
from posediff.structures.skeletons import Skeleton


class LiftingStage:
    """The 3D stages of one video: convert the keypoints, lift them, find the root positions, smooth.

    A joint is observed in a frame if it is an input of the lifter and all keypoints that contribute to it are inside
    the image.
    Keypoints outside the image are passed to the lifter, but count as not observed. Implausible root positions
    (:mod:`posediff.pipeline.root_filter`) are interpolated from the neighbouring frames.

    Gaps of up to ``max_gap_s`` in a track are passed to the lifter as frames without keypoints, like occlusions in
    training. A longer gap ends the segment; the next segment has the same track id.

    Args:
        stream: The lifter; each segment is a track of it.
        source, target: Skeletons of the keypoints and of the lifter.
        intrinsics: Intrinsics of the camera, for root positions and lens distortion.
        fps: Frame rate of the video.
        score_threshold: Keypoints with a lower score are treated as undetected.
        max_gap_s: Longest gap within a segment, s.
        fill: Output the frames in gaps too, marked as not observed.
        smoother: Smoother of joints and root positions; None: no smoothing.
    """

    def __init__(
        self,
        stream: LiftingStream,
        source: Skeleton,
        target: Skeleton,
        intrinsics: Intrinsics,
        fps: float,
        *,
        score_threshold: float = 0.3,
        max_gap_s: float = 0.5,
        fill: bool = False,
        smoother: BaseSmoother | None = None,
    ) -> None:
        self.stream, self.source, self.target, self.intrinsics, self.fps = stream, source, target, intrinsics, fps
        self.score_threshold, self.fill, self.smoother = score_threshold, fill, smoother
        self.max_gap = round(max_gap_s * fps)
        self._conversion = get_conversion(source.name, target.name)
        self._open: dict[int, Segment] = {}  # track id → segment that has not ended
        self._segments: dict[tuple[int, int], Segment] = {}  # segments with frames without output, by their key
        self._frames: deque[tuple[int, float]] = deque()  # frames without output: index and time
        self._processed: deque[int] = deque(maxlen=self.max_gap + 2)  # indices of the last processed frames
        self._rows: dict[int, list[PersonPose]] = {}  # frame index → finished poses that are not yielded yet

    def __call__(self, observations: Iterable[FramePoses]) -> Iterator[FrameResult]:
        """Yield the result of each frame in temporal order, once it is final.

        Args:
            observations: Tracked 2D poses of each frame, in temporal order.
        """
        for observation in observations:
            self._frames.append((observation.frame_index, observation.time_s))
            self._push(observation)
            self._processed.append(observation.frame_index)
            yield from self._ready()
        for segment in list(self._open.values()):
            self._close(segment)
        self.stream.flush()
        yield from self._ready()

    def _push(self, observation: FramePoses) -> None:
        """Pass the persons of the next frame to the lifter; close segments with a longer gap or before a cut."""
        now = observation.frame_index
        for segment in list(self._open.values()) if observation.after_cut else ():
            self._close(segment)  # time is missing before the frame, so the motion is not continuous
        for segment in list(self._open.values()):
            if now - segment.next_frame >= self.max_gap + 1 or (
                now - segment.next_frame >= self.max_gap and segment.key[0] not in observation.track_ids
            ):
                self._close(segment)
        for row, track_id in enumerate(observation.track_ids.tolist()):
            segment = self._open.get(track_id) or self._begin(track_id, now)
            keypoints, scores = observation.keypoints_2d[row], observation.keypoint_scores[row]
            converted = self._convert(keypoints, scores)
            self._push_gap(segment, now, converted)
            person = observation.boxes[row], keypoints, scores
            in_picture = joints_in_image(keypoints, self._conversion, self.stream.img_shape)
            self._push_frame(segment, SegmentFrame(now, person, converted, in_picture & (converted[1] > 0)))

    def _begin(self, track_id: int, frame: int) -> Segment:
        smoothing = None
        if self.smoother is not None:
            smoothing = self.smoother.stream(self.fps), self.smoother.stream(self.fps)
        root_filter = RootFilter(self.fps, self.stream.causal)
        segment = Segment((track_id, frame), frame, root_filter, smoothing, next_output=frame)
        self._open[track_id] = segment
        self._segments[segment.key] = segment
        return segment

    def _push_gap(self, segment: Segment, now: int, converted: tuple[np.ndarray, np.ndarray]) -> None:
        """Pass the frames since the last one of a segment to the lifter.

        They have no keypoints. In a causal run, frames that were skipped to keep up with a live video get interpolated
        keypoints instead.
        """
        before = segment.last_seen
        if not self.stream.causal or before is None or before.converted is None:
            for frame in range(segment.next_frame, now):
                self._push_frame(segment, SegmentFrame(frame))
            return
        was_missed = any(frame >= segment.next_frame for frame in self._processed)
        for frame in range(segment.next_frame, now):
            if self.fill and frame in self._processed:
                self._push_frame(segment, SegmentFrame(frame))
                continue
            share = np.float32((frame - before.frame_index) / (now - before.frame_index))
            points = before.converted[0] * (1 - share) + converted[0] * share
            observed = (before.converted[1] > 0) & (converted[1] > 0) & (not was_missed)
            self.stream.push(segment.key, np.where(observed[:, None], points, 0), observed, wanted=False)
        segment.next_frame = now

    def _push_frame(self, segment: Segment, seen: SegmentFrame) -> None:
        """Pass the next frame of a segment to the lifter, with zeros for a frame in a gap."""
        joints = self.target.num_joints
        points, weights = seen.converted or (np.zeros((joints, 2), np.float32), np.zeros(joints, np.float32))
        segment.seen.append(seen)
        segment.next_frame = seen.frame_index + 1
        if seen.person is not None:
            segment.last_seen = seen
        self.stream.push(segment.key, points, weights > 0)

    def _close(self, segment: Segment) -> None:
        segment.is_closed = True
        del self._open[segment.key[0]]
        self.stream.end(segment.key)

    def _convert(self, keypoints: np.ndarray, scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return undistorted points (J, 2) px and weights (J,) in the lifter's skeleton; both 0 for unusable joints."""
        seen = np.where(scores[:, None] > 0, self.intrinsics.undistort(keypoints), np.nan)
        points, weights, _ = convert_joints(seen, self.source.name, self.target.name, scores)
        weights = np.where(weights >= self.score_threshold, weights, 0).astype(np.float32)
        return np.where(weights[:, None] > 0, points, 0).astype(np.float32), weights

    def _ready(self) -> Iterator[FrameResult]:
        """Process the frames that the lifter has finished, and yield the results that are final."""
        for found in self.stream.ready():
            self._add_roots(self._segments[found.track], found)  # type: ignore[index]
        for key, segment in list(self._segments.items()):
            if segment.is_closed and not segment.seen:
                self._finish(segment)
                del self._segments[key]
        # gaps that are not filled have no output to wait for
        waiting = [segment.next_output for segment in self._segments.values() if self.fill or segment.is_waiting]
        settled = min(waiting, default=None)
        while self._frames and (settled is None or self._frames[0][0] < settled):
            frame_index, time_s = self._frames.popleft()
            people = sorted(self._rows.pop(frame_index, []), key=lambda person: person.track_id)
            yield FrameResult(frame_index, time_s, tuple(people))

    def _add_roots(self, segment: Segment, found: LiftedFrames) -> None:
        """Compute the root positions of lifted frames."""
        spread, radius = found.joints_3d_std, found.joints_3d_radius_90
        for number, joints in enumerate(found.joints_3d):
            seen = segment.seen.popleft()
            root = np.full(3, np.nan, np.float32)
            if seen.converted is not None:
                root = fit_root_position(joints, *seen.converted, self.intrinsics.camera)
            segment.unfiltered.append(LiftedFrame(seen, joints, spread[number], radius[number], root))
            self._take_filtered(segment, segment.root_filter.push(seen.frame_index, root))

    def _take_filtered(self, segment: Segment, judgements: list[bool]) -> None:
        """Process frames whose root position was filtered; implausible ones wait for the next plausible one."""
        for plausible in judgements:
            lifted = segment.unfiltered.popleft()
            lifted.root_observed = plausible
            segment.unplaced.append(lifted)
            if plausible:
                root = lifted.root
                self._interpolate_roots(segment, root)
                segment.last_root = root
                self._smooth(segment, segment.unplaced)
                segment.unplaced = []
            elif self.stream.causal:
                self._hold_root(segment)
                segment.unplaced = []

    def _interpolate_roots(self, segment: Segment, root: np.ndarray) -> None:
        """Interpolate the root positions of waiting frames between the last plausible one and the next, ``root``."""
        count = len(segment.unplaced)
        begin = root if segment.last_root is None else segment.last_root
        for number, lifted in enumerate(segment.unplaced, start=1):
            lifted.root = begin + (root - begin) * np.float32(number / count)

    def _smooth(self, segment: Segment, lifted: list[LiftedFrame]) -> None:
        """Pass frames to the smoother, if there is one, and output the frames that are final."""
        if segment.smoothing is None:
            self._emit(segment, lifted)
            return
        segment.unsmoothed.extend(lifted)
        frames = np.array([one.seen.frame_index for one in lifted])
        steps = np.diff(frames, prepend=frames[0] - 1 if segment.last_smoothed is None else segment.last_smoothed)
        uneven = () if (steps == 1).all() else (steps,)
        segment.last_smoothed = int(frames[-1])
        joints = segment.smoothing[0].push(np.stack([one.joints_3d for one in lifted]), *uneven)
        roots = segment.smoothing[1].push(np.stack([one.root for one in lifted]), *uneven)
        self._take_smoothed(segment, joints, roots)

    def _take_smoothed(self, segment: Segment, joints: np.ndarray, roots: np.ndarray) -> None:
        """Output the next n frames with their smoothed joints (n, J, 3) and root positions (n, 3), mm."""
        done = []
        for pose, root in zip(joints, roots, strict=True):
            lifted = segment.unsmoothed.popleft()
            lifted.joints_3d, lifted.root = pose, root
            done.append(lifted)
        self._emit(segment, done)

    def _hold_root(self, segment: Segment) -> None:
        """Process waiting frames with the last plausible root position, or without one."""
        if segment.last_root is None:
            for lifted in segment.unplaced:
                lifted.root = np.full(3, np.nan, np.float32)
            self._emit(segment, segment.unplaced)
            return
        for lifted in segment.unplaced:
            lifted.root = segment.last_root
        self._smooth(segment, segment.unplaced)

    def _finish(self, segment: Segment) -> None:
        """Process all remaining frames of a closed segment."""
        self._take_filtered(segment, segment.root_filter.finish())
        if segment.unplaced:
            self._hold_root(segment)
        if segment.smoothing is not None and segment.last_root is not None:
            self._take_smoothed(segment, segment.smoothing[0].finish(), segment.smoothing[1].finish())

    def _emit(self, segment: Segment, lifted: list[LiftedFrame]) -> None:
        """Store the poses of finished frames for output; frames in gaps are stored only with ``fill``."""
        for one in lifted:
            segment.next_output = one.seen.frame_index + 1
            observed = one.seen.person is not None
            if not observed and not self.fill:
                continue
            box, keypoints, scores = one.seen.person or self._missing_person()
            seen = one.seen.joint_observed
            self._rows.setdefault(one.seen.frame_index, []).append(
                PersonPose(
                    segment.key[0], observed, box, keypoints, scores, one.joints_3d.astype(np.float32),
                    one.joints_3d_std.astype(np.float32), one.root.astype(np.float32),
                    np.zeros(self.target.num_joints, bool) if seen is None else seen, one.root_observed,
                    joints_3d_radius_90=one.joints_3d_radius_90.astype(np.float32),
                )
            )  # fmt: skip

    def _missing_person(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return box, keypoints (NaN) and scores (0) of a person that was not detected."""
        joints = self.source.num_joints
        box, keypoints = np.full(4, np.nan, np.float32), np.full((joints, 2), np.nan, np.float32)
        return box, keypoints, np.zeros(joints, np.float32)
