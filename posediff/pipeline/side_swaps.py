"""Left and right put right where an estimator mistook them for a while.

Estimators that look at single frames take a person's left side for the right one now and then, most of all seen from
behind or in the dark. The joints then jump to the other side and back. Of all ways to swap a track's sides, frame by
frame, the one is taken along which its joints move least (Viterbi's algorithm), at a price for every swapped frame:
what the estimator says most of the time is right.
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
"""Of being swapped, in sizes of the person that the joints move on average. From 0.05 to 0.2 the same frames of four
real views are swapped."""
PRICE_OF_A_CHANGE = 0.01
"""Of beginning or ending a swap: where both sides are seen at one place, it makes no difference which is which."""


@dataclass
class _Chain:
    """What one track may have done in its last frames, for each part of the body."""

    last_frame: int
    points: np.ndarray  # (2, K, 2) px of the last frame: as they are, sides swapped
    scores: np.ndarray  # (2, K)
    costs: np.ndarray  # (parts, 2) of the best path to either
    came_from: deque[tuple[int, np.ndarray]] = field(default_factory=deque)  # frame, (parts, 2)


class SideSwapRepair:
    """Swap sides back in a stream of observations.

    Arms with head and legs are judged apart. Frames come out ``lag_s`` late, with all that was seen by then.

    Args:
        skeleton: Of the keypoints.
        fps: Rate of the frames.
        lag_s: How far to look ahead, in seconds; 0 decides at once.
        max_gap_s: A person who was not seen for longer may be anywhere: judged anew.

    Attributes:
        num_swapped: Frames of people in which at least one part was swapped back so far.
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
        """The same observations, in order."""
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
        both = np.stack([points, points[self.flip]]), np.stack([scores, scores[self.flip]])
        chain = self._chains.get(track)
        if chain is None or frame - chain.last_frame > self.max_gap:
            costs = np.tile([0.0, self.price], (len(self.parts), 1))
            before = deque() if chain is None else chain.came_from  # frames that still wait for their decision
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
        chain.costs -= chain.costs.min(-1, keepdims=True)  # only differences count: they stay small for ever
        chain.last_frame, chain.points, chain.scores = frame, *both
        chain.came_from.append((frame, origins))

    def _decided(self, observation: FramePoses) -> FramePoses:
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
        """Walk back from the best end to the frame."""
        state = int(chain.costs[part].argmin())
        for number, origins in reversed(chain.came_from):
            if number == frame:
                return bool(state)
            state = int(origins[part, state])
        raise RuntimeError(f'frame {frame} was never pushed')
