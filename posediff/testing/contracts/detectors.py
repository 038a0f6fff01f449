"""Contract tests of all registered detectors, plugins included; see posediff.detection.base."""

from __future__ import annotations

import numpy as np
import pytest

from posediff.registry import DETECTORS
from posediff.structures.video_frame import VideoFrame
from posediff.testing.contracts.base import Contract


class DetectorContract(Contract):
    """Tests that run on every registered detector."""

    registry = DETECTORS

    @pytest.fixture
    def frames(self) -> list[VideoFrame]:
        rng = np.random.default_rng(0)
        return [VideoFrame(index, index / 25, rng.integers(0, 256, (96, 128, 3), np.uint8)) for index in range(3)]

    def test_boxes_are_valid_and_inside_the_image(self, component, frames):
        for people, frame in zip(component(frames), frames, strict=True):
            height, width = frame.image.shape[:2]
            assert people.boxes.dtype == people.scores.dtype == np.float32
            assert people.boxes.shape == (len(people), 4)
            assert people.scores.shape == (len(people),)
            assert np.isfinite(people.boxes).all()
            assert (people.boxes >= 0).all()
            assert (people.boxes <= [width, height, width, height]).all()
            assert (people.boxes[:, 2:] > people.boxes[:, :2]).all()
            assert ((people.scores >= 0) & (people.scores <= 1)).all()
            assert people.rois is None or people.rois.shape == (len(people), 4)

    def test_frames_are_independent(self, component, frames):
        together = component(frames)
        for people, frame in zip(together, frames, strict=True):
            (alone,) = component([frame])
            np.testing.assert_allclose(alone.boxes, people.boxes, atol=0.5)
        assert component([]) == []

    @pytest.mark.parametrize('shape', [(1, 200, 3), (300, 1, 3), (2, 2, 3)])
    def test_tiny_images_are_no_error(self, component, shape):
        (people,) = component([VideoFrame(7, 0.1, np.zeros(shape, np.uint8))])
        assert people.boxes.shape == (len(people), 4)
