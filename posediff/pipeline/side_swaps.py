"""Correction of temporary swaps of left and right.

Pose estimators for single frames sometimes swap the left and right side of a person, in particular from behind or in
the dark. The joints then jump to the other side and back. For each track, Viterbi's algorithm finds the sequence of
states (swapped or not) with the least motion of the joints and a cost for every swapped frame, since the estimator is
correct in most frames.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

import numpy as np

from posediff.structures.frame_poses import FramePoses
from posediff.structures.skeletons import Skeleton

LOWER_BODY = ('hip', 'knee', 'ankle', 'foot', 'heel', 'toe')
PRICE_PER_SECOND = 0.1
"""Cost of one second in the swapped state, in units of the mean joint displacement divided by the size of the person.
Values from 0.05 to 0.2 correct the same frames of four recorded views."""
PRICE_OF_A_CHANGE = 0.01
"""Cost of a change of the state, in the same units; avoids changes while both sides are at the same position."""


@dataclass
class _Chain:
    """The Viterbi state of one track, for each part of the body."""

    last_frame: int
    points: np.ndarray  # (2, K, 2) px of the last frame: not swapped, swapped
    scores: np.ndarray  # (2, K)
    costs: np.ndarray  # (parts, 2), costs of the best paths to both states
    came_from: deque[tuple[int, np.ndarray]] = field(default_factory=deque)  # frame, (parts, 2)


class SideSwapRepair:
    """A filter of tracked 2D poses that corrects swapped sides.

    The upper body (with the head) and the lower body are corrected separately. The output is delayed by ``lag_s``, and
    the decision uses all frames up to then.

    Args:
        skeleton: Skeleton of the keypoints.
        fps: Frame rate.
        lag_s: Delay, s; 0 decides from earlier frames only.
        max_gap_s: After a longer gap in a track, s, the state starts again as not swapped.

    Attributes:
        num_swapped: Number of poses in which at least one part was corrected so far.
    """

    def __init__(self, skeleton: Skeleton, fps: float, lag_s: float = 1.0, max_gap_s: float = 0.2) -> None:
        self.flip = np.array(skeleton.flip_indices)
        names = skeleton.joint_names
        paired = [*skeleton.left, *skeleton.right]
        lower = [joint for joint in paired if any(part in names[joint] for part in LOWER_BODY)]
        self.parts = [part for part in (lower, sorted(set(paired) - set(lower))) if part]
        self.price = PRICE_PER_SECOND / fps
        self.lag, self.max_gap = round(lag_s * fps), max(round(max_gap_s * fps), 1)
        self._chains: dict[int, _Chain] = {}
        self._waiting: deque[FramePoses] = deque()
        self.num_swapped = 0

    def __call__(self, observations: Iterable[FramePoses]) -> Iterator[FramePoses]:
        """Yield the corrected poses of each frame, in temporal order."""
        for observation in observations:
            for row, track in enumerate(observation.track_ids.tolist()):
                self._extend(
                    track, observation.frame_index, observation.keypoints_2d[row], observation.keypoint_scores[row]
                )
            self._waiting.append(observation)
            if len(self._waiting) > self.lag:
                yield self._decided(self._waiting.popleft())
        while self._waiting:
            yield self._decided(self._waiting.popleft())

    def _extend(self, track: int, frame: int, points: np.ndarray, scores: np.ndarray) -> None:
        """Add a frame with points (K, 2) px and scores (K,) to the Viterbi state of a track."""
        both = np.stack([points, points[self.flip]]), np.stack([scores, scores[self.flip]])
        chain = self._chains.get(track)
        if chain is None or frame - chain.last_frame > self.max_gap:
            costs = np.tile([0.0, self.price], (len(self.parts), 1))
            before = deque() if chain is None else chain.came_from  # frames without a decision yet
            ends = np.zeros(len(self.parts), int) if chain is None else chain.costs.argmin(-1)
            before.append((frame, np.repeat(ends[:, None], 2, axis=1)))
            self._chains[track] = _Chain(frame, *both, costs, before)
            return
        size = max(float(np.linalg.norm(np.ptp(points[scores > 0], axis=0))) if (scores > 0).any() else 0.0, 1.0)
        moved = np.linalg.norm(both[0][:, None] - chain.points[None], axis=-1) / size  # (now, before, K)
        weights = np.minimum(both[1][:, None], chain.scores[None])
        origins = np.zeros((len(self.parts), 2), int)
        for number, joints in enumerate(self.parts):
            weight = weights[..., joints]
            step = (moved[..., joints] * weight).sum(-1) / np.maximum(weight.sum(-1), 1e-6)
            ways = step + chain.costs[number] + PRICE_OF_A_CHANGE * (1 - np.eye(2))
            origins[number] = ways.argmin(-1)
            chain.costs[number] = ways.min(-1) + [0.0, self.price]
        chain.costs -= chain.costs.min(-1, keepdims=True)  # only differences matter; keeps the costs bounded
        chain.last_frame, chain.points, chain.scores = frame, *both
        chain.came_from.append((frame, origins))

    def _decided(self, observation: FramePoses) -> FramePoses:
        """Return the corrected poses of a frame, and drop states that are no longer needed."""
        keypoints, scores = observation.keypoints_2d.copy(), observation.keypoint_scores.copy()
        for row, track in enumerate(observation.track_ids.tolist()):
            chain = self._chains[track]
            swapped = [
                joints
                for number, joints in enumerate(self.parts)
                if self._is_swapped(chain, number, observation.frame_index)
            ]
            for joints in swapped:
                keypoints[row, joints] = observation.keypoints_2d[row, self.flip[joints]]
                scores[row, joints] = observation.keypoint_scores[row, self.flip[joints]]
            self.num_swapped += bool(swapped)
            while chain.came_from and chain.came_from[0][0] <= observation.frame_index:
                chain.came_from.popleft()
        gone = observation.frame_index - self.max_gap
        self._chains = {track: chain for track, chain in self._chains.items() if chain.last_frame >= gone}
        return replace(observation, keypoints_2d=keypoints, keypoint_scores=scores)

    def _is_swapped(self, chain: _Chain, part: int, frame: int) -> bool:
        """Return the state of a frame on the best path, by backtracking from its end."""
        state = int(chain.costs[part].argmin())
        for number, origins in reversed(chain.came_from):
            if number == frame:
                return bool(state)
            state = int(origins[part, state])
        raise RuntimeError(f'frame {frame} was never pushed')
