"""The metric adapter: which frames count, what is reported, what is refused."""

import numpy as np
import pytest
import torch
from mmengine.structures import InstanceData

from posediff.evaluation import coherence, hypotheses, joints_3d
from posediff.evaluation.metrics import LiftingMetric
from posediff.geometry import Camera
from posediff.registry import METRICS
from posediff.structures import PoseDataSample


def make_sample(seed=0, num_frames=9, num_hypotheses=1, **meta):
    generator = torch.Generator().manual_seed(seed)
    target = 300 * torch.randn(num_frames, 17, 3, generator=generator)
    several = target + 30 * torch.randn(num_hypotheses, num_frames, 17, 3, generator=generator)
    sample = PoseDataSample(
        metainfo={'sample_id': f'clip{seed}', 'skeleton': 'h36m17', 'action': 'Walking', **meta},
    )
    sample.gt_instances = InstanceData(
        lifting_target=target.numpy(), lifting_target_visible=np.ones((num_frames, 17), np.float32)
    )
    sample.pred_instances = InstanceData(keypoints=several.mean(0).numpy())
    sample.pred_hypotheses = several
    return sample


def evaluate(samples, batch_size=2, **kwargs):
    metric = LiftingMetric(prefix='m', **kwargs)
    for start in range(0, len(samples), batch_size):
        metric.process(None, [sample.to_dict() for sample in samples[start : start + batch_size]])
    return {name.removeprefix('m/'): value for name, value in metric.evaluate(len(samples)).items()}


def poses(sample):
    return torch.as_tensor(sample.pred_instances.keypoints).double(), torch.as_tensor(
        sample.gt_instances.lifting_target
    ).double()


def test_it_is_registered():
    assert isinstance(METRICS.build({'type': 'LiftingMetric'}), LiftingMetric)


def test_whole_windows_give_the_plain_means():
    samples = [make_sample(seed) for seed in range(3)]
    pred, target = (torch.stack(pose) for pose in zip(*map(poses, samples), strict=True))
    measured = evaluate(samples)
    expected = {
        'mpjpe': joints_3d.mpjpe(pred, target),
        'mpjpe_unaligned': joints_3d.mpjpe_unaligned(pred, target),
        'p_mpjpe': joints_3d.p_mpjpe(pred, target),
        'n_mpjpe': joints_3d.n_mpjpe(pred, target),
        'mpjve': joints_3d.mpjve(pred, target),
        'symmetry_gap': coherence.symmetry_gap(pred),
        'segment_std': coherence.segment_std(pred),
    }
    for name, value in expected.items():
        assert measured[name] == pytest.approx(value.mean().item(), rel=1e-6), name
    assert not any('oracle' in name or 'agg' in name for name in measured)


def test_several_hypotheses_are_reported_with_oracles_labelled():
    samples = [make_sample(seed, num_hypotheses=4) for seed in range(2)]
    measured = evaluate(samples, p_best_per_batch=True)
    several = torch.stack([sample.pred_hypotheses for sample in samples]).double()
    target = torch.stack([poses(sample)[1] for sample in samples])
    assert measured['p_agg'] == pytest.approx(hypotheses.p_agg(several, target).mean().item(), rel=1e-6)
    for name in ('p_best', 'j_best', 'p_best_per_batch'):
        expected = getattr(hypotheses, name)(several, target).mean().item()
        assert measured[f'{name}_oracle'] == pytest.approx(expected, rel=1e-6)
        assert name not in measured
    assert 'j_agg' not in measured  # no camera


def test_each_frame_counts_once():
    whole = make_sample(1, num_frames=12)
    windows = []
    for start, mask in ((0, [1] * 8), (4, [0] * 4 + [1] * 4)):  # the second window overlaps the first by four
        window = PoseDataSample(metainfo={**whole.metainfo, 'frame_mask': np.array(mask, bool)})
        for field in ('gt_instances', 'pred_instances'):
            window.set_field(whole.get(field)[start : start + 8], field, dtype=InstanceData)
        windows.append(window)
    once, overlapping = evaluate([whole]), evaluate(windows)
    for name in ('mpjpe', 'mpjpe_unaligned', 'p_mpjpe', 'n_mpjpe', 'symmetry_gap'):
        assert overlapping[name] == pytest.approx(once[name], rel=1e-9)
    pred, target = poses(whole)
    velocity = joints_3d.mpjve(pred, target)
    assert overlapping['mpjve'] == pytest.approx(torch.cat([velocity[:7], velocity[8:]]).mean().item())
    std = [coherence.segment_std(pred[part]).item() for part in (slice(0, 8), slice(8, 12))]
    assert overlapping['segment_std'] == pytest.approx((8 * std[0] + 4 * std[1]) / 12)


def test_a_single_counted_frame_has_no_velocity_and_no_std():
    lone = make_sample(2, frame_mask=np.eye(9, dtype=bool)[0])
    measured = evaluate([lone, make_sample(3)])
    assert measured['segment_std'] == pytest.approx(evaluate([make_sample(3)])['segment_std'])
    assert measured['mpjve'] == pytest.approx(evaluate([make_sample(3)])['mpjve'])


def test_action_mean_is_unweighted():
    samples = [make_sample(seed, action='Sitting' if seed else 'Walking') for seed in range(4)]
    measured = evaluate(samples)
    walking = evaluate(samples[:1])['mpjpe']
    sitting = evaluate(samples[1:])['mpjpe']
    assert measured['action/Walking/mpjpe'] == pytest.approx(walking)
    assert measured['action/Sitting/mpjpe'] == pytest.approx(sitting)
    assert measured['mpjpe_action_mean'] == pytest.approx((walking + sitting) / 2)
    assert measured['mpjpe'] == pytest.approx((walking + 3 * sitting) / 4)


def test_readings_are_options():
    sample = make_sample(5)
    pred, _ = poses(sample)
    measured = evaluate([sample], segments='skeleton', unbiased=False)
    assert measured['segment_std'] == pytest.approx(coherence.segment_std(pred, segments='skeleton', unbiased=False))


def test_results_do_not_depend_on_the_batch_and_samples_padded_by_ranks_are_dropped():
    samples = [make_sample(seed, num_hypotheses=3, action=str(seed % 2)) for seed in range(5)]
    expected = evaluate(samples, batch_size=1)
    assert evaluate(samples, batch_size=5) == pytest.approx(expected)
    metric = LiftingMetric(prefix='m')
    metric.process(None, [sample.to_dict() for sample in [*samples, samples[0]]])
    assert metric.evaluate(5) == pytest.approx({f'm/{name}': value for name, value in expected.items()})


@pytest.mark.parametrize('value', [float('nan'), float('inf')])
def test_a_prediction_that_is_not_finite_is_refused_by_name(value):
    sample = make_sample(7)
    sample.pred_instances.keypoints[3, 2, 1] = value
    with pytest.raises(ValueError, match=r"'clip7': pred_instances.keypoints is .* at index \(3, 2, 1\)"):
        evaluate([sample])


def test_wrong_shape_and_no_sample_are_refused():
    sample = make_sample(8).to_dict()
    sample['gt_instances']['lifting_target'] = np.zeros((9, 16, 3), np.float32)
    with pytest.raises(ValueError, match="'clip8'"):
        LiftingMetric().process(None, [sample])
    with pytest.raises(ValueError, match='no sample'):
        LiftingMetric().compute_metrics([])


def test_joint_wise_reprojection_is_reported_with_a_camera():
    sample = make_sample(9, num_hypotheses=6)
    position = torch.tensor([100.0, -50.0, 5000.0]).expand(9, 3)
    target = torch.as_tensor(sample.gt_instances.lifting_target)
    sample.gt_instances.root_position = position.numpy()
    target = target - target[:, :1]
    camera = Camera(np.full(2, 1100.0), np.full(2, 500.0), (1000, 1000), np.eye(3), np.zeros(3))
    keypoints = camera.project((target + position[:, None]).numpy())
    sample.set_metainfo({'camera': camera, 'input_keypoints_2d': keypoints})
    measured = evaluate([sample])
    exact = evaluate([sample], j_agg_root='ground_truth')
    assert measured['j_best_oracle'] <= measured['j_agg'] < evaluate([sample])['p_best_oracle'] * 2
    assert 'j_agg' not in exact
    assert exact['j_best_oracle'] <= exact['j_agg_gt_root']
    assert 'j_agg' not in evaluate([sample, make_sample(1, num_hypotheses=6)])
    assert not any(name.startswith('j_agg') for name in evaluate([sample], j_agg_root=None))
    assert measured['mpjpe'] > 0
    assert not any(name.startswith('rpea') for name in measured)
    rpea = evaluate([sample], rpea={'top_k': 1})
    assert rpea['rpea'] == pytest.approx(measured['j_agg'])
    exact = evaluate([sample], rpea={'top_k': 1, 'root': 'ground_truth'}, j_agg_root='ground_truth')
    assert 'rpea' not in exact
    assert exact['rpea_gt_root'] == pytest.approx(exact['j_agg_gt_root'])


def test_measures_of_poses_that_used_the_true_root_are_named_so():
    sample = make_sample(0, num_hypotheses=3)
    plain = evaluate([sample])
    sample.set_metainfo({'uses_gt_root': True})
    named = evaluate([sample])
    calibration = ('coverage_', 'ece', 'energy_score', 'error_to_spread', 'pose_energy_score')
    of_hypotheses = {
        'p_agg',
        'p_best_oracle',
        'j_best_oracle',
        *(name for name in plain if name.startswith(calibration)),
    }
    shown = {name for name in plain if '/' not in name and not name.endswith('_action_mean')}
    assert {name for name in named if '/' not in name and not name.endswith('_action_mean')} == {
        name if name in of_hypotheses else f'{name}_gt_root' for name in shown
    }
    assert named['mpjpe_gt_root'] == plain['mpjpe']


def test_single_frames_have_no_velocity_and_no_segment_std():
    measured = evaluate([make_sample(seed, num_frames=1) for seed in range(3)])
    assert np.isfinite(measured['mpjpe'])
    assert np.isnan(measured['mpjve'])
    assert np.isnan(measured['segment_std'])
