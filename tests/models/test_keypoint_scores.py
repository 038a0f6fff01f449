"""Scores of keypoints: from the maximum of a heatmap, and from the spread of hypotheses."""

import numpy as np
import pytest
import torch
from mmengine.structures import InstanceData

from posediff.models.heads.keypoint_scores import KeypointScores, spread
from posediff.structures import PoseDataSample

KNOTS = ((0.1, 0.1), (0.25, 0.5), (0.5, 0.9))


def test_the_spread_is_the_standard_deviation():
    """Two hypotheses 6 px apart are 3 px from their mean; equal ones have no spread."""
    hypotheses = np.array([[[0.0, 0.0], [5.0, 5.0]], [[6.0, 0.0], [5.0, 5.0]]])
    np.testing.assert_allclose(spread(hypotheses), [3 * 2**0.5, 0])
    many = np.random.default_rng(0).normal(0, (3, 4), (100000, 1, 2))
    np.testing.assert_allclose(spread(many), 5, rtol=0.01)


@pytest.mark.parametrize('number', [2, 4, 10])
def test_the_mean_square_of_the_spread_does_not_depend_on_the_number_of_hypotheses(number):
    drawn = np.random.default_rng(0).normal(0, (3, 4), (number, 100000, 2))
    assert np.sqrt((spread(drawn) ** 2).mean()) == pytest.approx(5, rel=0.01)


def test_scores_are_interpolated_between_knots_and_constant_outside():
    scores = KeypointScores('Head', 'spread', KNOTS)
    drawn = np.zeros((2, 4, 2))
    drawn[:, :, 0] = np.outer([1, -1], np.array([0.0, 0.01, 0.03, 0.9]) * 64 / 2**0.5)
    np.testing.assert_allclose(scores(np.zeros(4), drawn, 64.0), [0.9, 0.9, 0.5, 0.1], atol=1e-6)
    np.testing.assert_allclose(KeypointScores('Head', 'spread')(np.zeros(4), drawn, 64.0), [1, 1 / 2, 1 / 4, 1 / 91])
    maxima = np.array([0.0, 0.3, 2.0])
    assert KeypointScores('Head')(maxima, None, 64.0).tolist() == pytest.approx([0, 0.3, 2])
    halved = KeypointScores('Head', 'maximum', ((0, 0), (1, 0.5)))
    np.testing.assert_allclose(halved(maxima, None, 64.0), [0, 0.15, 0.5])


@pytest.mark.parametrize(
    ('measure', 'knots', 'message'),
    [
        ('variance', None, 'score must be one of maximum, spread'),
        ('maximum', ((0.5, 0.1), (0.5, 0.2)), 'ascending measures'),
        ('maximum', ((0.1, 0.3), (0.5, 0.2)), 'ascending measures and scores'),
        ('maximum', ((0.1, 0.3), (np.inf, 0.4)), 'finite numbers'),
        ('maximum', (0.5, 0.1), 'must be pairs'),
        ('maximum', ((0.1, 0.1), (0.5, 1.2)), r'scores in \[0, 1\]'),
    ],
)
def test_knots_that_are_no_map_are_refused(measure, knots, message):
    with pytest.raises(ValueError, match=f'^Head: .*{message}'):
        KeypointScores('Head', measure, knots)


def test_one_hypothesis_has_no_spread():
    with pytest.raises(ValueError, match="^Head: score 'spread' needs test_cfg.num_hypotheses of at least 2"):
        KeypointScores('Head', 'spread', KNOTS)(np.zeros(3), np.zeros((1, 3, 2)), 64.0)


def test_errors_name_the_head():
    pytest.importorskip('mmpose')
    from posediff.models.heads import HeatmapHead, KeypointHead

    for head in (HeatmapHead, KeypointHead):
        with pytest.raises(ValueError, match=f'^{head.__name__}: score_knots must have ascending'):
            head(score='spread', score_knots=((0.5, 0.1), (0.5, 0.2)))


def test_a_head_scores_keypoints_by_the_spread_of_its_hypotheses():
    """Hypotheses that agree get the first knot's score, others less, and both are decoded as the mean is."""
    pytest.importorskip('mmpose')
    from posediff.models.heads import HeatmapHead

    codec = {'type': 'UDPHeatmap', 'input_size': (48, 64), 'heatmap_size': (12, 16), 'sigma': 1.0}
    head = HeatmapHead(codec=codec, keep_hypotheses=True, score='spread', score_knots=KNOTS)
    points = np.full((2, 15, 2), 24, np.float32)
    points[:, 7, 1] = 16, 48
    drawn = [head.codec.encode(each[None], np.ones((1, 15), np.float32))['heatmaps'] for each in points]
    sample = PoseDataSample(
        metainfo={'input_size': (48, 64), 'input_scale': np.array([48, 64]), 'input_center': np.array([24, 32])}
    )
    sample.gt_instances = InstanceData()
    several = torch.from_numpy(np.stack(drawn))
    head.attach([sample], several.mean(0)[None], several[None])
    scores = sample.pred_instances.keypoint_scores[0]
    assert scores[:7].tolist() == pytest.approx([0.9] * 7)
    assert scores[7] == pytest.approx(0.1)
    for each, kept in zip(drawn, sample.pred_hypotheses.numpy(), strict=True):
        head.attach([sample], torch.from_numpy(each)[None], several[None])
        np.testing.assert_allclose(kept, sample.pred_instances.keypoints[0], atol=1e-4)
