"""Several people of a video, lifted while it goes on."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import posediff
from posediff.lifting import LiftingStream
from posediff.registry import SAMPLERS

FRAMES, JOINTS = 9, 17


@pytest.fixture(scope='module')
def model(repository):
    torch.manual_seed(0)
    options = {
        'model.denoiser.num_frames': FRAMES, 'model.denoiser.channels': 8, 'model.denoiser.num_layers': 2,
        'model.denoiser.step_channels': 8, 'model.test_cfg.num_hypotheses': 2, 'model.test_cfg.num_inference_steps': 2,
        'model.sampler.type': 'DDIMSampler',
    }  # fmt: skip
    model = posediff.init_model(repository / 'configs/lifting_3d/diffhpe/diffhpe-2d_27f_cmu.py', cfg_options=options)
    torch.nn.init.normal_(model.denoiser.output_projection.weight, std=0.1)
    return model


def walk(frames: int, seed: int) -> np.ndarray:
    steps = np.random.default_rng(seed).normal(0, 3, (frames, JOINTS, 2))
    return (500 + np.cumsum(steps, axis=0)).astype(np.float32)


def test_people_do_not_influence_each_other(model):
    """Two who come and go at different times, in one stream and each in a stream of their own."""
    seen = np.ones(JOINTS, bool)
    people = {'anna': (0, walk(40, 1)), 'ben': (7, walk(25, 2))}

    def lift(names: list[str], batch_size: int) -> dict[str, np.ndarray]:
        stream = LiftingStream(model, (1000, 1000), skeleton='cmu17', fps=30.0, batch_size=batch_size)
        parts: dict[str, list] = {name: [] for name in names}
        for frame in range(40):
            for name in names:
                start, points = people[name]
                if start <= frame < start + len(points):
                    stream.push(name, points[frame - start], seen)
                if frame == start + len(points) - 1:
                    stream.end(name)
            if frame == 39:
                stream.flush()
            for found in stream.ready():
                assert found.first == sum(len(part.joints_3d) for part in parts[found.track])
                parts[found.track].append(found)
        assert not stream._tracks
        assert not stream._noise
        return {name: np.concatenate([part.joints_3d for part in found]) for name, found in parts.items()}

    together = lift(['anna', 'ben'], batch_size=4)
    for name, (_, points) in people.items():
        assert together[name].shape == (len(points), JOINTS, 3)
        np.testing.assert_allclose(lift([name], batch_size=1)[name], together[name], atol=0.05)
    assert np.abs(together['anna'][:25] - together['ben']).max() > 1


def test_a_stream_of_one_is_the_whole_clip_under_its_name(model):
    points = walk(30, 3)
    whole = posediff.lift_keypoints(model, points, skeleton='cmu17', img_shape=(1000, 1000), fps=25.0)
    stream = LiftingStream(model, (1000, 1000), skeleton='cmu17', fps=25.0)
    for frame in points:
        stream.push('clip', frame, np.ones(JOINTS, bool))
    stream.end('clip')
    stream.flush()
    (found,) = stream.ready()
    np.testing.assert_allclose(found.hypotheses, whole['hypotheses'], atol=0.05)
    np.testing.assert_allclose(found.joints_3d_std, whole['joints_3d_std'], atol=0.05)


def test_a_causal_stream_answers_at_once(model):
    stream = LiftingStream(model, (1000, 1000), skeleton='cmu17', fps=50.0, batch_size=1, causal=True)
    for number, frame in enumerate(walk(12, 4)):
        stream.push(0, frame, np.ones(JOINTS, bool))
        (found,) = stream.ready()
        assert (found.first, len(found.joints_3d)) == (number, 1)


def test_frames_that_are_not_wanted_are_context_alone(model):
    points = walk(12, 4)
    everything, some = (
        LiftingStream(model, (1000, 1000), skeleton='cmu17', fps=50.0, batch_size=1, causal=True) for _ in range(2)
    )
    for number, frame in enumerate(points):
        everything.push(0, frame, np.ones(JOINTS, bool))
        (expected,) = everything.ready()
        some.push(0, frame, np.ones(JOINTS, bool), wanted=number % 3 == 0)
        found = list(some.ready())
        assert len(found) == (number % 3 == 0)
        if found:
            assert found[0].first == number // 3
            np.testing.assert_array_equal(found[0].joints_3d, expected.joints_3d)
    with pytest.raises(ValueError, match='only a causal stream'):
        LiftingStream(model, (1000, 1000), skeleton='cmu17').push(0, points[0], np.ones(JOINTS, bool), wanted=False)


def test_a_causal_stream_runs_no_pass_to_count_its_draws(model, monkeypatch):
    """A scheduler of diffusers is tried out when the stream is made, and in no frame after that."""
    pytest.importorskip('diffusers', reason='only their draws are counted by a run on trial')
    sampler = SAMPLERS.build({'type': 'diffusers.DDPMScheduler'})
    monkeypatch.setattr(model, 'sampler', sampler)
    stream = LiftingStream(model, (1000, 1000), skeleton='cmu17', batch_size=1, causal=True)
    runs = []
    scheduler = sampler._scheduler
    monkeypatch.setattr(sampler, '_scheduler', lambda *args: runs.append(args) or scheduler(*args))
    for frame in walk(5, 4):
        stream.push(0, frame, np.ones(JOINTS, bool))
        assert list(stream.ready())
    assert len(runs) == 5


def test_ids_of_any_type_give_the_same_poses(model):
    poses = []
    for track in (3, np.int64(3), '3'):
        stream = LiftingStream(model, (1000, 1000), skeleton='cmu17', batch_size=1, causal=True)
        stream.push(track, walk(1, 4)[0], np.ones(JOINTS, bool))
        (found,) = stream.ready()
        assert found.track is track
        poses.append(found.hypotheses)
    np.testing.assert_array_equal(poses[0], poses[1])
    np.testing.assert_array_equal(poses[0], poses[2])


@pytest.mark.parametrize(
    ('skeleton', 'said'),
    [
        (None, "skeleton is not stated.*'cmu17' is expected here"),
        ('coco17', r"'coco17' where 'cmu17' is expected; convert them: .*convert_joints\(keypoints, 'coco17', 'cmu17'"),
        ('mediapipe33', "'mediapipe33' where 'cmu17' is expected; convert them: .*, by way of coco17"),
    ],
)
def test_keypoints_of_another_skeleton_are_an_error(model, skeleton, said):
    with pytest.raises(ValueError, match=said):
        LiftingStream(model, (1000, 1000), skeleton=skeleton)
