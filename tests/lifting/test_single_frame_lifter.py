"""FMPose3D's config at tiny size on keypoints of several people: windows of one frame, mirrored hypotheses, RPEA."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

import posediff
from posediff.lifting import LiftingStream
from posediff.models.estimator import PoseDiffusionEstimator
from posediff.pipeline.intrinsics import Intrinsics

JOINTS, HYPOTHESES = 17, 4
SHAPE = (1000, 1000)
CAMERA = Intrinsics.from_focal(SHAPE).camera


def build(repository, **options: Any) -> PoseDiffusionEstimator:
    torch.manual_seed(0)
    tiny = {'denoiser.channels': 16, 'denoiser.num_layers': 1, 'test_cfg.num_hypotheses': HYPOTHESES}
    changes = {f'model.{name}': value for name, value in (tiny | options).items()}
    return posediff.init_model(repository / 'configs/lifting_3d/fmpose3d/fmpose3d_1f_h36m.py', cfg_options=changes)


def walk(frames: int, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    pose, path = rng.uniform(300, 700, (1, JOINTS, 2)), np.cumsum(rng.normal(0, 3, (frames, 1, 2)), axis=0)
    return (pose + path).astype(np.float32)


def lift(model: PoseDiffusionEstimator, people: dict[str, np.ndarray], **options: Any) -> dict[str, np.ndarray]:
    stream = LiftingStream(model, SHAPE, skeleton='h36m17', fps=25.0, camera=CAMERA, **options)
    parts: dict[Any, list[np.ndarray]] = {name: [] for name in people}
    for frame in range(max(map(len, people.values()))):
        for name, points in people.items():
            if frame < len(points):
                stream.push(name, points[frame], np.arange(JOINTS) != frame % JOINTS)
            if frame == len(points) - 1:
                stream.end(name)
    stream.flush()
    for found in stream.ready():
        parts[found.track].append(found.joints_3d)
    return {name: np.concatenate(found) for name, found in parts.items()}


@pytest.mark.parametrize('root', ['estimate', 'predicted'])
def test_people_of_a_video_are_lifted_frame_by_frame(repository, root: str) -> None:
    model = build(repository, **{'aggregator.root': root})
    people = {'anna': walk(12, 1), 'ben': walk(7, 2)}
    together = lift(model, people, batch_size=5)
    for name, points in people.items():
        poses = together[name]
        assert poses.shape == (len(points), JOINTS, 3)
        assert np.isfinite(poses).all()
        assert not poses[:, 0].any()
        np.testing.assert_allclose(lift(model, {name: points}, batch_size=1)[name], poses, atol=0.05)
    assert np.abs(together['anna'][:7] - together['ben']).max() > 1


def test_the_root_that_the_network_predicts_reaches_the_aggregator(repository, monkeypatch) -> None:
    points, shape = {'anna': walk(3, 1)}, (HYPOTHESES, 3)
    model = build(repository, **{'aggregator.root': 'predicted'})
    expected = lift(model, points)['anna']
    aggregate, roots = model.aggregator.aggregate, []

    def watch(hypotheses, samples):
        roots.append(samples[0].hypothesis_root_position)
        return aggregate(hypotheses, samples)

    monkeypatch.setattr(model.aggregator, 'aggregate', watch)
    np.testing.assert_array_equal(lift(model, points)['anna'], expected)
    assert sum(root.shape[1] for root in roots) == 3
    assert all(root.shape[::2] == shape and root.abs().min() > 0 for root in roots)


def test_every_second_hypothesis_is_of_the_mirrored_input(repository) -> None:
    model, plain = (build(repository, **{'test_cfg.flip_hypotheses': flip}) for flip in (True, False))
    inputs = torch.rand(2, 1, JOINTS, 2) - 0.5
    noise = torch.randn(1, 2, 5, 1, JOINTS, 3)
    x_0 = model.sample_inputs(inputs, 5, noise=noise)
    assert x_0.shape == (2, 5, 1, JOINTS, 3)
    torch.testing.assert_close(x_0[:, ::2], plain.sample_inputs(inputs, 3, noise=noise[:, :, ::2]))
    mirrored = plain.sample_inputs(model.head.flip_inputs(inputs), 2, noise=noise[:, :, 1::2])
    torch.testing.assert_close(x_0[:, 1::2], model.head.flip_state(mirrored))
    one = model.sample_inputs(inputs, 1, noise=noise[:, :, :1])
    torch.testing.assert_close(one, x_0[:, :1])


def test_hypotheses_do_not_depend_on_their_number_or_on_memory(repository) -> None:
    """The noise of a generator is that of one draw, whichever rows are read first."""
    inputs = torch.rand(1, 1, JOINTS, 2)
    model = build(repository)
    drawn = model.draw_noise(model.conditioner(inputs), 6, 3, torch.Generator().manual_seed(1))
    expected = model.sample_inputs(inputs, 6, noise=drawn)
    for budget in (1024.0, 1e-3):
        small = build(repository, **{'test_cfg.memory_budget_mb': budget})
        generator = torch.Generator().manual_seed(1)
        torch.testing.assert_close(small.sample_inputs(inputs, 6, generator=generator), expected)
        assert torch.equal(generator.get_state(), advanced(drawn.numel()).get_state())


def advanced(numbers: int) -> torch.Generator:
    generator = torch.Generator().manual_seed(1)
    torch.randn(numbers, generator=generator)
    return generator


def test_averaging_and_keeping_mirrored_hypotheses_exclude_each_other(repository) -> None:
    with pytest.raises(ValueError, match='flip_test and flip_hypotheses mirror the input in different ways'):
        build(repository, **{'test_cfg.flip_test': True})
    with pytest.raises(ValueError, match="flip_hypotheses must be True or False, got 'yes'"):
        build(repository, **{'test_cfg.flip_hypotheses': 'yes'})


def test_an_aggregator_that_compares_with_the_input_needs_a_camera(repository) -> None:
    points = walk(2, 1)
    with pytest.raises(ValueError, match='ReprojectionExpectationAggregator: .*no camera'):
        posediff.lift_keypoints(build(repository), points, skeleton='h36m17', img_shape=SHAPE)
    lifted = posediff.lift_keypoints(build(repository), points, skeleton='h36m17', img_shape=SHAPE, camera=CAMERA)
    assert lifted['hypotheses'].shape == (HYPOTHESES, 2, JOINTS, 3)
    assert lifted['joints_3d_std'][:, 0].max() == 0
    assert lifted['joints_3d_std'][:, 1:].min() > 0
