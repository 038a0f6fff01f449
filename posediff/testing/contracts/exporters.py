"""Contract tests of all registered exporters, plugins included; see posediff.export.base."""

from __future__ import annotations

import copy
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from posediff.export.base import BaseExporter
from posediff.export.motion import Motion
from posediff.registry import EXPORTERS
from posediff.structures.skeletons import CMU17
from posediff.testing.contracts.base import Contract

UP = np.array([0.0, -1.0, 0.0])
# Standing person that faces +x; metres, z up, joints in the order of CMU17.
STANDING = np.array([
    [0, 0, 0.95], [0, -0.1, 0.9], [0.02, -0.1, 0.5], [0, -0.1, 0.08], [0, 0.1, 0.9], [0.02, 0.1, 0.5], [0, 0.1, 0.08],
    [0, 0, 1.15], [0, 0, 1.35], [0.02, 0, 1.5], [0, 0, 1.62], [0, 0.18, 1.32], [0.05, 0.2, 1.05], [0.1, 0.2, 0.85],
    [0, -0.18, 1.32], [0.05, -0.2, 1.05], [0.1, -0.2, 0.85],
])  # fmt: skip
Z_UP_TO_CAMERA = np.array([[0.0, 1.0, 0.0], [0.0, 0.0, -1.0], [-1.0, 0.0, 0.0]])


def standing(frames: int) -> Motion:
    """Create the motion of a person who sways 4 m in front of a level camera, observed in every frame."""
    sway = 0.02 * np.sin(np.arange(frames)[:, None, None] / 5 + np.arange(17)[:, None])
    joints = 1000 * (STANDING + sway) @ Z_UP_TO_CAMERA.T + [0.0, 1000.0, 4000.0]
    return Motion(joints, CMU17, 25.0, absolute=True, track_id=3, first_frame=7, up=UP)


class ExporterContract(Contract):
    """Tests that run on every registered exporter."""

    registry = EXPORTERS

    @pytest.fixture
    def path(self, component: BaseExporter, tmp_path: Path) -> Path:
        """Return a path in an empty folder."""
        return tmp_path / f'walk{component.suffix}'

    @pytest.mark.parametrize('frames', [1, 20])
    def test_one_file_is_written_and_described(self, component: BaseExporter, path: Path, frames: int) -> None:
        assert component.suffix.startswith('.')
        motion = standing(frames)
        before = copy.deepcopy(motion)
        held = component(motion, path)
        assert list(path.parent.iterdir()) == [path]
        assert path.stat().st_size > 0
        assert {'unit', 'axes', 'gaps', 'start'} <= held.keys()
        json.dumps(held, allow_nan=False)
        np.testing.assert_array_equal(motion.joints_3d, before.joints_3d)

    def test_the_file_depends_only_on_the_motion(self, component: BaseExporter, path: Path) -> None:
        component(standing(20), path)
        first = path.read_bytes()
        component(standing(20), path)
        assert path.read_bytes() == first
        component(standing(21), path)
        assert path.read_bytes() != first

    def test_a_motion_without_up_is_no_error(self, component: BaseExporter, path: Path) -> None:
        component(replace(standing(20), up=None, up_source=None), path)
        assert path.stat().st_size > 0

    def test_gaps_are_written_or_raise_without_touching_the_file(self, component: BaseExporter, path: Path) -> None:
        joints = standing(20).joints_3d.copy()
        joints[5:8] = joints[10, 3] = np.nan
        path.write_text('from before')
        try:
            component(replace(standing(20), joints_3d=joints, observed=None), path)
        except ValueError:
            assert path.read_text() == 'from before'
        else:
            assert path.read_bytes() != b'from before'
        assert list(path.parent.iterdir()) == [path]

    def test_gaps_are_written_with_the_options_for_tracks(self, component: BaseExporter, path: Path) -> None:
        joints = standing(20).joints_3d.copy()
        joints[5:8] = joints[10, 3] = joints[:, 16] = np.nan
        motion = replace(standing(20), joints_3d=joints, observed=None)
        exporter = type(component)(**component.track_options)
        if exporter.refusal(motion) is None:
            exporter(motion, path)
            assert path.stat().st_size > 0

    def test_refusal_returns_a_reason_or_none(self, component: BaseExporter) -> None:
        assert component.refusal(standing(5)) is None
        joints = np.full((5, 17, 3), np.nan)
        joints[:, 10] = 1.0
        reason = component.refusal(Motion(joints, CMU17, 25.0, up=UP))
        assert reason is None or reason.strip()
