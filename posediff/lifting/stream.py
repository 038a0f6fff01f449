"""Lift the people of a video frame by frame, with windows of several people in one batch."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from posediff.evaluation.radius import radius_90
from posediff.geometry.cameras import Camera
from posediff.lifting.causal_track import CausalTrack
from posediff.lifting.frame_noise import FrameNoise, WindowNoise
from posediff.lifting.windowed_track import WindowedTrack
from posediff.models.data_preprocessor import network_inputs
from posediff.models.device_copies import to_device
from posediff.models.estimator import PoseDiffusionEstimator
from posediff.structures.argument_checks import require_whole
from posediff.structures.samples import PoseDataSample
from posediff.structures.skeleton_check import require_skeleton


@dataclass(frozen=True)
class LiftedFrames:
    """Consecutive frames of one track.

    Attributes:
        track: Track id, as pushed.
        first: Number of frames of the track that were returned earlier.
        joints_3d: (n, K, 3) mm relative to the root, camera axes: x right, y down, z forward.
        hypotheses: (M, n, K, 3) mm.
        observed: (n, K) bool, keypoints that were inputs of the lifter.
    """

    track: Hashable
    first: int
    joints_3d: np.ndarray
    hypotheses: np.ndarray
    observed: np.ndarray

    @property
    def joints_3d_std(self) -> np.ndarray:
        """(n, K) mm, square root of the sum over x, y and z of the variances over the hypotheses."""
        return np.sqrt(self.hypotheses.var(axis=0).sum(-1))

    @property
    def joints_3d_radius_90(self) -> np.ndarray:
        """(n, K) mm, see :func:`posediff.evaluation.radius.radius_90`."""
        return radius_90(self.hypotheses, self.joints_3d)


class LiftingStream:
    """Lift any number of people while their keypoints arrive; memory does not grow with the length of the video.

    Overlapping windows cover frames before and after, and are blended with weights that decrease towards their borders.
    A frame is ready once the last window that contains it is lifted. Noise is drawn per frame, not per window, so that
    windows agree where they overlap. Results depend neither on ``batch_size`` nor on other people in the video.

    Args:
        model: From :func:`posediff.init_model`.
        img_shape: (h, w) of the image in px.
        skeleton: Skeleton of the keypoints. Required; it must be the lifter's (``model.head.skeleton.name``).
            :func:`posediff.structures.skeleton_conversion.convert_joints` converts other skeletons.
        fps: Frame rate of the video. If it differs from the ``fps`` of the model's config, the keypoints are resampled
            to that rate, and the poses back. None: no resampling.
        camera: Camera, for aggregators that need one.
        num_hypotheses: M; None: that of the model's ``test_cfg``.
        num_inference_steps: Denoiser calls per hypothesis; None: that of the model's ``test_cfg``.
        seed: Seed of the noise.
        stride: Frames between the starts of two windows, at the model's rate, at most the window length; None: a third
            of the window length.
        batch_size: Windows per batch.
        causal: Take the pose of a frame from the window that ends with it: no frame waits for later ones, and every
            frame costs one window. With ``batch_size=1`` each frame is lifted immediately.

    Attributes:
        spec: Properties of the lifter that the stream uses.

    Raises:
        ValueError: The skeleton is not given or not the lifter's, or an option is out of range.
    """

    def __init__(
        self,
        model: PoseDiffusionEstimator,
        img_shape: tuple[int, int],
        *,
        skeleton: str | None = None,
        fps: float | None = None,
        camera: Camera | None = None,
        num_hypotheses: int | None = None,
        num_inference_steps: int | None = None,
        seed: int = 0,
        stride: int | None = None,
        batch_size: int = 16,
        causal: bool = False,
    ) -> None:
        counts = {
            'num_hypotheses': num_hypotheses,
            'num_inference_steps': num_inference_steps,
            'batch_size': batch_size,
        }
        require_whole(type(self).__name__, {name: value for name, value in counts.items() if value is not None}, 1)
        if len(img_shape) != 2 or not all(np.isfinite(side) and side > 0 for side in img_shape):
            raise ValueError(f'img_shape must be a positive (h, w) in px, got {img_shape}')
        self.spec = model.stream_spec(num_hypotheses, num_inference_steps, seed)
        require_skeleton(skeleton, self.spec.skeleton.name, 'keypoints for this lifter')
        self.model, self.img_shape, self.camera = model, img_shape, camera
        self.batch_size, self.causal = batch_size, causal
        self.window, self._joints = self.spec.num_frames, self.spec.skeleton.num_joints
        self.hop = max(self.window // 3, 1) if stride is None else stride
        if not 1 <= self.hop <= self.window:
            raise ValueError(f'stride must be in 1..{self.window}, the window of the model, got {self.hop}')
        self.step = _frames_per_grid_frame(fps, self.spec.fps)
        self._tracks: dict[Hashable, WindowedTrack | CausalTrack] = {}
        self._due: list[tuple[Hashable, int, np.ndarray, np.ndarray]] = []
        self._noise: dict[Hashable, dict[int, FrameNoise]] = {}

    def push(self, track: Hashable, points: np.ndarray, observed: np.ndarray, wanted: bool = True) -> None:
        """Add the next frame of a track; the first one starts the track.

        Args:
            track: Id of the person.
            points: (K, 2) px float32 in the lifter's skeleton, 0 if not observed.
            observed: (K,) bool.
            wanted: Whether the pose is needed; a causal stream does not lift or return the other frames.

        Raises:
            ValueError: ``wanted`` is False and the stream is not causal.
        """
        if track not in self._tracks:
            self._tracks[track] = self._new_track()
        known = self._tracks[track]
        if isinstance(known, CausalTrack):
            known.push(points, observed, wanted)
        elif wanted:
            known.push(points, observed)
        else:
            raise ValueError('wanted=False needs causal=True: only a causal stream omits frames')
        self._collect(track)

    def _new_track(self) -> WindowedTrack | CausalTrack:
        if self.causal:
            return CausalTrack(self.window, self.step)
        return WindowedTrack(self.window, self.hop, self.step)

    def end(self, track: Hashable) -> None:
        """End a track; its remaining windows are lifted with the next batch, or by :meth:`flush`."""
        if track in self._tracks:
            self._tracks[track].end()
            self._collect(track)

    def flush(self) -> None:
        """Lift all windows that are due, even if they do not fill a batch."""
        while self._due:
            self._lift(self._due[: self.batch_size])
            del self._due[: self.batch_size]

    def ready(self) -> Iterator[LiftedFrames]:
        """Yield the frames whose poses are final, each once."""
        for name, track in list(self._tracks.items()):
            found = track.ready()
            if found is not None:
                first, poses, points, observed = found
                hypotheses, roots = poses.transpose(0, 1).split([self._joints, poses.shape[2] - self._joints], dim=2)
                yield LiftedFrames(
                    track=name,
                    first=first,
                    joints_3d=self._aggregate(hypotheses, roots, points, observed).numpy(),
                    hypotheses=hypotheses.numpy(),
                    observed=observed,
                )
            if track.is_empty:
                del self._tracks[name]
                self._noise.pop(name, None)

    def _collect(self, track: Hashable) -> None:
        """Queue the windows of a track that can be lifted, and lift every full batch."""
        self._due += [(track, *window) for window in self._tracks[track].due()]
        while len(self._due) >= self.batch_size:
            self._lift(self._due[: self.batch_size])
            del self._due[: self.batch_size]

    @torch.no_grad()
    def _lift(self, windows: list[tuple[Hashable, int, np.ndarray, np.ndarray]]) -> None:
        """Lift one batch of windows (track, start frame, points, observed) and pass the poses to their tracks."""
        names, starts, points, observed = zip(*windows, strict=True)
        inputs = to_device(self._inputs(np.stack(points), np.stack(observed)), self.spec.device)
        noise = None
        if self.spec.num_draws:
            drawn = [self._window_noise(name, start) for name, start in zip(names, starts, strict=True)]
            noise = WindowNoise(drawn, self.spec.device)
        x_0 = self.model.sample_inputs(inputs, self.spec.num_hypotheses, self.spec.num_inference_steps, noise=noise)
        poses, roots = self.model.head.decode(x_0.float()), self.model.head.root_positions(x_0.float())
        # a root position that the network predicts is interpolated and blended like a joint
        poses = (poses if roots is None else torch.cat([poses, roots.unsqueeze(-2)], dim=-2)).cpu()
        for name, start, pose in zip(names, starts, poses, strict=True):
            self._tracks[name].accept(start, pose.transpose(0, 1))

    def _inputs(self, points: np.ndarray, observed: np.ndarray) -> Tensor:
        """Return network inputs (B, T, K, 2 or 3) of windows: points (B, T, K, 2) px, observed (B, T, K)."""
        mask = torch.from_numpy(observed.astype(np.float32))
        shape = torch.tensor([self.img_shape], dtype=torch.float32)
        return network_inputs(torch.from_numpy(points), mask, shape, self.spec.input_mask)

    def _window_noise(self, track: Hashable, start: int) -> list[FrameNoise]:
        """Return the noise of a window's frames, which depends on seed, track and frame number only."""
        kept = self._noise.setdefault(track, {})
        for old in [frame for frame in kept if frame < start - self.window]:
            del kept[old]
        seed, shape = self.spec.seed, self.spec.frame_noise_shape
        frames = range(start, start + self.window)
        return [kept.setdefault(frame, FrameNoise(seed, track, frame, shape)) for frame in frames]

    def _aggregate(self, hypotheses: Tensor, roots: Tensor, points: np.ndarray, observed: np.ndarray) -> Tensor:
        """Return one pose per frame, (n, K, 3), of hypotheses (M, n, K, 3) with roots (M, n, 1, 3), or (M, n, 0, 3)."""
        sample = PoseDataSample(metainfo={'sample_id': 'clip', 'img_shape': self.img_shape, 'camera': self.camera})
        sample.set_metainfo({'skeleton': self.spec.skeleton.name})
        sample.input_keypoints_2d = torch.from_numpy(points)
        sample.input_keypoint_mask = torch.from_numpy(observed.astype(np.float32))
        if roots.shape[2]:
            sample.set_metainfo({'hypothesis_root_position': roots[:, :, 0]})
        return self.model.aggregator(hypotheses[None], [sample])[0]


def _frames_per_grid_frame(fps: float | None, model_fps: float | None) -> float:
    """Return the clip frames per frame at the model's rate: fps / model_fps, or 1 if one of them is None."""
    if fps is None:
        return 1.0
    for name, rate in (('fps', fps), ("the config's fps", model_fps)):
        if rate is not None and not (np.isfinite(rate) and rate > 0):
            raise ValueError(f'{name} must be positive, got {rate}')
    return 1.0 if model_fps is None else fps / model_fps
