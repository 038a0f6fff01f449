"""The description of a video pipeline: checked when it is made, constant afterwards."""

from __future__ import annotations

import dataclasses

import pytest

pytest.importorskip('av')

from posediff.pipeline.components import VideoComponents  # noqa: E402
from posediff.pipeline.description import VideoDescription  # noqa: E402
from posediff.pipeline.video_run import VideoRun  # noqa: E402


@pytest.mark.parametrize(
    ('options', 'said'),
    [
        ({'detector': {'type': 'NoSuchDetector'}}, 'NoSuchDetector.*not registered in detectors'),
        ({'smoother': {'type': 'MeanSmoother'}}, 'MeanSmoother.*not registered in smoothers'),
        ({'tracker': 'PoseTracker'}, "tracker must be a config .*got 'PoseTracker'"),
        ({'pose_estimator': {}}, r'pose_estimator must be a config .*got \{\}'),
        ({'batch_size': 0}, 'batch_size must be a whole number of at least 1, got 0'),
        ({'num_hypotheses': 0}, 'num_hypotheses must be a whole number of at least 1, got 0'),
        ({'max_crop': -1}, 'max_crop must be a whole number of at least 0, got -1'),
        ({'seed': 0.5}, 'seed must be a whole number, got 0.5'),
        ({'score_threshold': float('nan')}, 'score_threshold must be a finite number'),
        ({'max_gap_s': -0.1}, 'max_gap_s must be at least 0, got -0.1'),
        ({'focal': 0}, 'focal must be a positive length in px, got 0'),
        (
            {'focal': 900.0, 'calibration': ('a.toml', None)},
            'focal 900.0 cannot be combined with the calibration a.toml',
        ),
        ({'lifter': 'config.py'}, "lifter must be a pair .config, checkpoint., got 'config.py'"),
    ],
)
def test_a_wrong_setting_is_an_error_at_once(options, said):
    with pytest.raises((ValueError, KeyError), match=said):
        VideoDescription(**options)


def test_a_description_does_not_change():
    detector = {'type': 'WholeFrameDetector'}
    description = VideoDescription(detector=detector)
    detector['type'] = 'MediaPipeDetector'
    assert description.detector == {'type': 'WholeFrameDetector'}
    with pytest.raises(dataclasses.FrozenInstanceError):
        description.seed = 1


def test_runs_share_the_components_and_own_their_state(tiny_lifter, save_keypoints, filmed, grey_video):
    source = {'path': save_keypoints([(0, filmed(1)[0], [1.0] * 17)]), 'skeleton': 'h36m17'}
    components = VideoComponents.build(
        VideoDescription(
            detector={'type': 'KeypointsFileDetector', **source},
            pose_estimator={'type': 'KeypointsFileEstimator', **source},
            lifter=(tiny_lifter, 'random'),
        )
    )
    video = grey_video(3)
    first, second = VideoRun(components, video), VideoRun(components, video)
    assert first.observer.detector is second.observer.detector
    assert first.stream.model is second.stream.model
    assert first.tracker is not second.tracker
    assert first.stream is not second.stream
    assert first.side_repair is not second.side_repair


def test_which_keypoints_are_lifted_depends_on_the_pose_estimator(tiny_lifter, save_keypoints, filmed, grey_video):
    """Its threshold is the default; a score of 0.7 is low for one estimator and high for another."""
    rows = [(frame, points, [0.7] * 17) for frame, points in enumerate(filmed(3))]
    source = {'path': save_keypoints(rows), 'skeleton': 'h36m17'}
    description = VideoDescription(
        detector={'type': 'KeypointsFileDetector', **source},
        pose_estimator={'type': 'KeypointsFileEstimator', **source},
        lifter=(tiny_lifter, 'random'),
    )
    for ours, asked, expected in ((0.3, None, True), (0.8, None, False), (0.8, 0.4, True), (0.3, 0.75, False)):
        components = VideoComponents.build(dataclasses.replace(description, score_threshold=asked))
        components.pose_estimator.score_threshold = ours
        assert components.score_threshold == (ours if asked is None else asked)
        (person,) = next(VideoRun(components, grey_video(3))).people
        assert (person.joint_observed == expected).all()
