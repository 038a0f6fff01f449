"""From observations to people in 3D: gaps, joints, lifting, place, smoothing."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np

from posediff.lifting import LiftedFrames, LiftingStream
from posediff.pipeline.camera_guess import Intrinsics, root_position
from posediff.pipeline.observing import Observation
from posediff.pipeline.results import FrameResult, PersonPose
from posediff.skeleton_conversion import convert_joints
from posediff.skeletons import Skeleton
from posediff.smoothing import BaseSmoother, SmoothingStream


@dataclass
class _Seen:
    """A frame of a segment: what was observed, None in a gap."""

    frame_index: int
    person: tuple[np.ndarray, np.ndarray, np.ndarray] | None = None  # box, keypoints, scores
    converted: tuple[np.ndarray, np.ndarray] | None = None  # px in the lifter's skeleton, weights


@dataclass
class _Lifted:
    seen: _Seen
    joints_3d: np.ndarray
    joints_3d_std: np.ndarray
    root: np.ndarray


@dataclass
class _Segment:
    """A track between two long gaps."""

    key: tuple[int, int]  # track and first frame
    next_frame: int  # the one after the last that was pushed
    smoothing: tuple[SmoothingStream, SmoothingStream] | None
    seen: deque[_Seen] = field(default_factory=deque)  # pushed and not lifted yet
    unplaced: list[_Lifted] = field(default_factory=list)  # lifted, waiting for a root position behind a gap
    unsmoothed: deque[_Lifted] = field(default_factory=deque)  # waiting for the smoother
    last_root: np.ndarray | None = None
    out: int = 0  # first frame that was not handed out
    is_closed: bool = False


class LiftingStage:
    """Lift everybody in a video while it goes on.

    Frames in which a person was not found are, up to ``max_gap_s``, frames without keypoints to the lifter, as in its
    training on occlusions, and are filled; a longer gap ends a segment, and what follows begins anew under the same id.

    Args:
        stream: Of the lifter; its tracks are segments.
        source, target: Skeletons of the observations and of the lifter.
        intrinsics: Of the camera: puts people in place, takes lens distortion out of keypoints.
        fps: Of the video.
        score_threshold: Keypoints scored below are not seen.
        max_gap_s: See above.
        fill: Hand filled frames out, marked; else leave them out.
        smoother: Of joints and root positions; None: none.
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
        self._open: dict[int, _Segment] = {}
        self._segments: dict[tuple[int, int], _Segment] = {}
        self._frames: deque[tuple[int, float]] = deque()  # not handed out yet
        self._rows: dict[int, list[PersonPose]] = {}

    def __call__(self, observations: Iterable[Observation]) -> Iterator[FrameResult]:
        """Turn observations, in order, into results, in order; each as soon as nothing will change it."""
        for observation in observations:
            self._frames.append((observation.frame_index, observation.time_s))
            self._push(observation)
            yield from self._ready()
        for segment in list(self._open.values()):
            self._close(segment)
        self.stream.flush()
        yield from self._ready()

    def _push(self, observation: Observation) -> None:
        now = observation.frame_index
        for segment in list(self._open.values()):
            if now - segment.next_frame >= self.max_gap + 1 or (
                now - segment.next_frame >= self.max_gap and segment.key[0] not in observation.track_ids
            ):
                self._close(segment)
        for row, track_id in enumerate(observation.track_ids.tolist()):
            segment = self._open.get(track_id) or self._begin(track_id, now)
            for frame in range(segment.next_frame, now):
                self._push_frame(segment, _Seen(frame))
            keypoints, scores = observation.keypoints_2d[row], observation.keypoint_scores[row]
            person = observation.boxes[row], keypoints, scores
            self._push_frame(segment, _Seen(now, person, self._convert(keypoints, scores)))

    def _begin(self, track_id: int, frame: int) -> _Segment:
        smoothing = None
        if self.smoother is not None:
            smoothing = self.smoother.stream(self.fps), self.smoother.stream(self.fps)
        segment = _Segment((track_id, frame), frame, smoothing, out=frame)
        self._open[track_id] = segment
        self._segments[segment.key] = segment
        return segment

    def _push_frame(self, segment: _Segment, seen: _Seen) -> None:
        joints = self.target.num_joints
        points, weights = seen.converted or (np.zeros((joints, 2), np.float32), np.zeros(joints, np.float32))
        segment.seen.append(seen)
        segment.next_frame = seen.frame_index + 1
        self.stream.push(segment.key, points, weights > 0)

    def _close(self, segment: _Segment) -> None:
        segment.is_closed = True
        del self._open[segment.key[0]]
        self.stream.end(segment.key)

    def _convert(self, keypoints: np.ndarray, scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        seen = np.where(scores[:, None] > 0, self.intrinsics.undistort(keypoints), np.nan)
        points, weights, _ = convert_joints(seen, self.source.name, self.target.name, scores)
        weights = np.where(weights >= self.score_threshold, weights, 0).astype(np.float32)
        return np.where(weights[:, None] > 0, points, 0).astype(np.float32), weights

    def _ready(self) -> Iterator[FrameResult]:
        for found in self.stream.ready():
            self._place(self._segments[found.track], found)  # type: ignore[index]
        for key, segment in list(self._segments.items()):
            if segment.is_closed and not segment.seen:
                self._finish(segment)
                del self._segments[key]
        settled = min([segment.out for segment in self._segments.values()], default=None)
        while self._frames and (settled is None or self._frames[0][0] < settled):
            frame_index, time_s = self._frames.popleft()
            people = sorted(self._rows.pop(frame_index, []), key=lambda person: person.track_id)
            yield FrameResult(frame_index, time_s, tuple(people))

    def _place(self, segment: _Segment, found: LiftedFrames) -> None:
        """Give lifted frames their root position; those in a gap wait for the one behind it."""
        spread = found.joints_3d_std
        for number, joints in enumerate(found.joints_3d):
            seen = segment.seen.popleft()
            root = np.full(3, np.nan, np.float32)
            if seen.converted is not None:
                root = root_position(joints, *seen.converted, self.intrinsics.camera)
            segment.unplaced.append(_Lifted(seen, joints, spread[number], root))
            if np.isfinite(root).all():
                self._bridge(segment, root)
                segment.last_root = root
                self._smooth(segment, segment.unplaced)
                segment.unplaced = []

    def _bridge(self, segment: _Segment, root: np.ndarray) -> None:
        """Root positions of the frames before one that has it: on the way from the last known, or equal to it."""
        count = len(segment.unplaced)
        begin = root if segment.last_root is None else segment.last_root
        for number, lifted in enumerate(segment.unplaced, start=1):
            lifted.root = begin + (root - begin) * np.float32(number / count)

    def _smooth(self, segment: _Segment, lifted: list[_Lifted]) -> None:
        if segment.smoothing is None:
            self._hand_out(segment, lifted)
            return
        segment.unsmoothed.extend(lifted)
        joints = segment.smoothing[0].push(np.stack([one.joints_3d for one in lifted]))
        roots = segment.smoothing[1].push(np.stack([one.root for one in lifted]))
        self._take_smoothed(segment, joints, roots)

    def _take_smoothed(self, segment: _Segment, joints: np.ndarray, roots: np.ndarray) -> None:
        done = []
        for pose, root in zip(joints, roots, strict=True):
            lifted = segment.unsmoothed.popleft()
            lifted.joints_3d, lifted.root = pose, root
            done.append(lifted)
        self._hand_out(segment, done)

    def _finish(self, segment: _Segment) -> None:
        """Hand out what still waits: frames at the end whose place is not known stay at the last known one."""
        for lifted in segment.unplaced:
            lifted.root = lifted.root if segment.last_root is None else segment.last_root
        if segment.last_root is None or segment.smoothing is None:
            self._hand_out(segment, segment.unplaced)
            return
        if segment.unplaced:
            self._smooth(segment, segment.unplaced)
        self._take_smoothed(segment, segment.smoothing[0].finish(), segment.smoothing[1].finish())

    def _hand_out(self, segment: _Segment, lifted: list[_Lifted]) -> None:
        for one in lifted:
            segment.out = one.seen.frame_index + 1
            observed = one.seen.person is not None
            if not observed and not self.fill:
                continue
            box, keypoints, scores = one.seen.person or self._nothing()
            self._rows.setdefault(one.seen.frame_index, []).append(
                PersonPose(
                    segment.key[0], observed, box, keypoints, scores, one.joints_3d.astype(np.float32),
                    one.joints_3d_std.astype(np.float32), one.root.astype(np.float32),
                )
            )  # fmt: skip

    def _nothing(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        joints = self.source.num_joints
        box, keypoints = np.full(4, np.nan, np.float32), np.full((joints, 2), np.nan, np.float32)
        return box, keypoints, np.zeros(joints, np.float32)
