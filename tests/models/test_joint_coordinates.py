"""DiffPose on joint coordinates: units, labels, training, prediction and its control without diffusion."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from mmengine.structures import InstanceData, PixelData

from posediff.models.estimator import PoseDiffusionEstimator
from posediff.models.heads import KeypointHead
from posediff.models.heads.udp_heatmap import UDPHeatmap
from posediff.structures import PoseDataSample

SIZE = (32, 64)  # w, h
CODEC = {'type': 'UDPHeatmap', 'input_size': SIZE, 'heatmap_size': (8, 16), 'sigma': 1.0}
NOT_EARS = [joint for joint in range(17) if joint not in (3, 4)]
HEAD = {'type': 'KeypointHead', 'codec': CODEC, 'label_joints': NOT_EARS, 'num_label_joints': 17}
UNLABELLED = 2  # of the state: the top of the head


def build(control: bool = False, **changes) -> PoseDiffusionEstimator:
    torch.manual_seed(0)
    head = {**HEAD, **changes.pop('head', {})}
    parts = {
        'denoiser': {
            'type': 'KeypointDecoder', 'input_size': SIZE, 'heatmap_size': (16, 8), 'map_channels': 16, 'channels': 32,
            'step_channels': 8,
        },
        'noise_scheduler': {'type': 'CosineNoiseScheduler', 'prediction_type': 'sample'},
        'sampler': {'type': 'DDIMSampler', 'spacing': 'diffusiondet'},
        'test_cfg': {'num_hypotheses': 3, 'num_inference_steps': 2},
    }  # fmt: skip
    if control:
        parts = {}
        head |= {'in_channels': 16, 'channels': 32}
    return PoseDiffusionEstimator(
        data_preprocessor={'type': 'ClipPreprocessor'},
        backbone={'type': 'MoveNetBackbone'},
        conditioner={
            'type': 'HeatmapConditioner', 'in_channels': 24, 'num_frames': 1, 'size': (4, 2), 'channels': 16,
            'depth': 1, 'patch_size': 4, 'detail': True, 'map_channels': 16,
        },
        head=head,
        loss={'type': 'PoseDistanceLoss'},
        **{**parts, **changes},
    )  # fmt: skip


def batch(size: int = 4) -> list[dict]:
    """Clips with a bright square at every joint that has a label."""
    rng = np.random.default_rng(0)
    items = []
    for index in range(size):
        joints = rng.uniform((3, 3), (28, 60), (1, 17, 2)).astype(np.float32)
        visible = np.ones((1, 17), np.float32)
        visible[0, NOT_EARS[UNLABELLED]] = 0
        joints[0, NOT_EARS[UNLABELLED]] = -200, 300
        frame = rng.integers(0, 60, (1, 3, SIZE[1], SIZE[0]), np.uint8)
        for (x, y), seen in zip(joints[0].round().astype(int), visible[0], strict=True):
            frame[0, :, max(y - 1, 0) : y + 2, max(x - 1, 0) : x + 2] = 255 if seen else 0
        labels = UDPHeatmap(SIZE, (8, 16), 1.0).encode(joints, visible)
        sample = PoseDataSample()
        sample.set_metainfo(
            {'sample_id': f'clip{index}', 'input_size': SIZE, 'input_center': np.array([100.0, 50.0]),
             'input_scale': np.array([64.0, 128.0])}
        )  # fmt: skip
        sample.gt_instances = InstanceData(bboxes=np.zeros((1, 4)), bbox_scores=np.ones(1))
        sample.gt_instances.transformed_keypoints = joints
        sample.gt_instance_labels = InstanceData(keypoint_weights=torch.from_numpy(labels['keypoint_weights']))
        sample.gt_fields = PixelData(heatmaps=torch.from_numpy(labels['heatmaps']))
        items.append({'inputs': torch.from_numpy(frame), 'data_samples': sample})
    return items


def test_units_are_half_heights_from_the_centre():
    head = KeypointHead(codec=CODEC, scale=2.0)
    corners = torch.tensor([[0.0, 0.0], [15.5, 31.5], [31.0, 63.0]])
    aspect = 31 / 63
    expected = 2 * torch.tensor([[-aspect, -1.0], [0.0, 0.0], [aspect, 1.0]])
    torch.testing.assert_close(head.encode(corners), expected)
    torch.testing.assert_close(head.decode(head.encode(corners)), corners)


def test_labels_are_decoded_to_the_place_they_came_from():
    """In px of the image: MMPose's affine map of the crop and this head's way back agree on the pixels."""
    pytest.importorskip('mmpose')
    from mmpose.structures.bbox import get_udp_warp_matrix

    head = KeypointHead(codec=CODEC, label_joints=NOT_EARS, num_label_joints=17)
    centre, scale = np.array([100.0, 50.0]), np.array([64.0, 128.0])
    image = np.random.default_rng(1).uniform((70, 0), (130, 100), (17, 2))
    warp = get_udp_warp_matrix(centre, scale, 0, SIZE)
    [item] = batch(1)
    sample = item['data_samples']
    sample.gt_instances.transformed_keypoints = (image @ warp[:, :2].T + warp[:, 2])[None].astype(np.float32)
    sample.gt_instance_labels = InstanceData(keypoint_weights=torch.ones(1, 17))
    x_0, weights = head.targets([sample])
    assert weights.shape == (1, 15, 1)
    poses = head.decode(x_0)
    head.attach([sample], poses, poses[:, None])
    np.testing.assert_allclose(sample.pred_instances.keypoints[0, NOT_EARS], image[NOT_EARS], atol=1e-3)
    assert sample.pred_instances.keypoint_scores[0, [0, 3, 4]].tolist() == [1, 0, 0]


def test_a_mirrored_state_is_that_of_the_mirrored_crop():
    head = KeypointHead(codec=CODEC)
    joints = torch.rand(2, 15, 2) * 30
    mirrored = joints[:, head.flip_indices].clone()
    mirrored[..., 0] = SIZE[0] - 1 - mirrored[..., 0]
    torch.testing.assert_close(head.flip_state(head.encode(joints)), head.encode(mirrored))
    torch.testing.assert_close(head.flip_state(head.flip_state(joints)), joints)


@pytest.mark.parametrize('control', [False, True])
def test_joints_without_a_label_do_not_train(control):
    """Neither their place nor their heatmap changes the loss, and no gradient reaches their heatmap or coordinates."""
    items = batch(2)
    samples = [item['data_samples'] for item in items]
    model = build(control)
    x_0, weights = model.head.targets(samples)
    assert weights[:, UNLABELLED].eq(0).all()
    assert weights.sum() == 2 * 14
    assert x_0[:, UNLABELLED].eq(0).all()
    logits = torch.randn(2, 16 + 15, 16, 8, requires_grad=True)
    loss = model.head.auxiliary_losses(logits, samples)['loss_heatmap']
    [gradient] = torch.autograd.grad(loss, logits)
    moved = gradient[:, 16:].abs().amax((0, 2, 3)) > 0
    assert [joint for joint in range(15) if not moved[joint]] == [UNLABELLED]
    output = torch.randn(2, 15, 2, requires_grad=True)
    [gradient] = torch.autograd.grad(model.loss_module(output, x_0, weights), output)
    assert [joint for joint in range(15) if not gradient[:, joint].abs().max() > 0] == [UNLABELLED]


def test_the_pipeline_must_keep_the_joints():
    [item] = batch(1)
    del item['data_samples'].gt_instances.transformed_keypoints
    with pytest.raises(ValueError, match='sample clip0 has no gt_instances.transformed_keypoints.*pack_transformed'):
        KeypointHead(codec=CODEC).targets([item['data_samples']])


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        ({'scale': 0.0}, 'scale must be positive'),
        ({'heatmap_weight': -1.0}, 'heatmap_weight at least 0'),
        ({'score': 'maximum'}, "score must be None or 'spread'"),
        ({'codec': {**CODEC, 'type': 'MSRAHeatmap'}}, 'needs a codec UDPHeatmap'),
    ],
)
def test_options_that_do_not_fit_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        KeypointHead(**{'codec': CODEC, **options})


def test_an_untrained_model_says_what_its_heatmaps_say():
    """Whatever the noise: the denoiser begins at the mean around the maximum, which is within a cell of the joint."""
    model = build().eval()
    [item] = batch(1)
    heatmaps = item['data_samples'].gt_fields.heatmaps[NOT_EARS]
    condition = torch.cat([torch.randn(16, 16, 8), heatmaps.clamp_min(1e-4).log()])[None]
    x_0 = model.sample(condition, num_hypotheses=4, num_inference_steps=4)
    found = model.head.decode(x_0)[0].numpy()
    assert np.ptp(found, axis=0).max() < 1e-3
    true = item['data_samples'].gt_instances.transformed_keypoints[0, NOT_EARS]
    distance = np.linalg.norm(found[0] - true, axis=-1)
    distance[UNLABELLED] = 0
    assert distance.max() < 4.5


def label_entropy(samples: list[PoseDataSample]) -> float:
    """Mean entropy of the heatmaps of labels over all joints; 0 for joints without a label."""
    heatmaps = torch.stack([sample.gt_fields.heatmaps[NOT_EARS] for sample in samples]).flatten(2)
    shares = heatmaps / heatmaps.sum(-1, keepdim=True).clamp_min(1e-9)
    return float(torch.special.entr(shares).sum(-1).mean())


@pytest.mark.parametrize('control', [False, True])
def test_training_on_one_batch_finds_its_joints(control):
    model = build(control).train()
    data = model.data_preprocessor(batch(), True)
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3)
    seen = []
    for step in range(60):
        torch.manual_seed(step)
        losses = model(**data, mode='loss')
        assert set(losses) == {'loss', 'loss_heatmap'}
        optimizer.zero_grad()
        sum(losses.values()).backward()
        optimizer.step()
        seen.append([float(value.detach()) for value in losses.values()])
    seen = np.asarray(seen) - [0, label_entropy(data['data_samples'])]  # the least value of a cross-entropy
    first, last = seen[:5].mean(0), seen[-5:].mean(0)
    assert (last < 0.7 * first).all()


@pytest.mark.parametrize('steps', [1, 4])
@pytest.mark.parametrize('hypotheses', [1, 4])
def test_predictions_are_in_the_image(hypotheses, steps):
    options = {'num_hypotheses': hypotheses, 'num_inference_steps': steps}
    score = 'spread' if hypotheses > 1 else None
    model = build(test_cfg=options, head={'keep_hypotheses': True, 'score': score}).eval()
    torch.nn.init.normal_(model.denoiser.gate.weight)  # zero in an untrained model, whose hypotheses agree
    samples = model(**model.data_preprocessor(batch(2)), mode='predict')
    predicted = samples[0].pred_instances
    assert predicted.keypoints.shape == (1, 17, 2)
    assert samples[0].pred_hypotheses.shape == (hypotheses, 17, 2)
    np.testing.assert_allclose(predicted.keypoints[0], samples[0].pred_hypotheses.mean(0), rtol=1e-5, atol=1e-3)
    scores = predicted.keypoint_scores[0]
    assert (scores[NOT_EARS] < 1).all() if hypotheses > 1 else (scores[NOT_EARS] == 1).all()
    assert scores[[3, 4]].tolist() == [0, 0]


@pytest.mark.parametrize('control', [False, True])
def test_mirrored_frames_have_mirrored_joints(control):
    options = {'flip_test': True} if control else {'num_hypotheses': 2, 'num_inference_steps': 2, 'flip_test': True}
    model = build(control, test_cfg=options).eval()
    if not control:
        torch.nn.init.normal_(model.denoiser.gate.weight)
    inputs = model.data_preprocessor(batch(2))['inputs']
    noise = None if control else torch.randn(1, 2, 2, 15, 2)
    mirrored = None if control else model.head.flip_state(noise)
    found = model.sample_inputs(inputs, noise=noise)
    other = model.sample_inputs(model.head.flip_inputs(inputs), noise=mirrored)
    torch.testing.assert_close(model.head.flip_state(other), found, rtol=1e-4, atol=1e-4)
    assert found.shape == (2, 1 if control else 2, 15, 2)


def test_the_decoder_predicts_coordinates_only():
    with pytest.raises(ValueError, match="KeypointDecoder predicts sample, but .* prediction_type 'epsilon'"):
        build(noise_scheduler={'type': 'CosineNoiseScheduler', 'prediction_type': 'epsilon'})
