"""Top-down estimators that a command line names."""

from __future__ import annotations

import pytest

pytest.importorskip('mmpose')

from posediff.registry import POSE_ESTIMATORS  # noqa: E402
from posediff.structures.component_choices import component_config  # noqa: E402


def test_a_packaged_config_is_named_without_a_path() -> None:
    config = component_config(POSE_ESTIMATORS, '--pose', 'diffpose_vit-t_synthetic-128x96', 'random')
    estimator = POSE_ESTIMATORS.build(config)
    assert estimator.frames_around == 2
    assert estimator.skeleton.name == 'posetrack15'


def test_a_packaged_config_of_a_lifter_is_refused() -> None:
    config = component_config(POSE_ESTIMATORS, '--pose', 'mixste-c64-d4_27f_cmu', 'random')
    with pytest.raises(ValueError, match='mixste-c64-d4_27f_cmu takes keypoints, not frames'):
        POSE_ESTIMATORS.build(config)
