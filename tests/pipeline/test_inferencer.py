"""One inferencer, many videos; and the random generators of whoever builds it."""

from __future__ import annotations

import random
import threading
from pathlib import Path

import numpy as np
import pytest
import torch

import posediff

pytest.importorskip('av')

from posediff.pipeline import VideoPoseInferencer  # noqa: E402
from posediff.structures.results import FrameResult, PersonPose  # noqa: E402

FRAMES = 24


@pytest.fixture
def inferencer(tiny_lifter, save_keypoints, filmed) -> VideoPoseInferencer:
    """Of two people, of whom one comes later and is missed for a while."""
    walks = filmed(FRAMES, aside=-600.0), filmed(FRAMES, aside=700.0)
    ones = np.ones(17)
    people = [
        (frame, walks[track][frame], ones)
        for frame in range(FRAMES)
        for track in (0, 1)
        if track == 0 or (frame > 5 and frame not in (12, 13))
    ]
    source = {'path': save_keypoints(people), 'skeleton': 'h36m17'}
    return VideoPoseInferencer(
        detector={'type': 'KeypointsFileDetector', **source},
        pose_estimator={'type': 'KeypointsFileEstimator', **source},
        lifter=(tiny_lifter, 'random'),
        fill=True,
        smoother={'type': 'OneEuroSmoother'},
    )


def assert_same(found: list[FrameResult], expected: list[FrameResult]) -> None:
    assert len(found) == len(expected)
    for one, other in zip(found, expected, strict=True):
        assert (one.frame_index, len(one.people)) == (other.frame_index, len(other.people))
        for person, twin in zip(one.people, other.people, strict=True):
            for name in PersonPose.__dataclass_fields__:
                np.testing.assert_array_equal(getattr(person, name), getattr(twin, name), err_msg=name)


def test_two_videos_at_once_are_as_one_after_the_other(inferencer, grey_video):
    long, short = grey_video(FRAMES, name='long.mp4'), grey_video(FRAMES - 7, name='short.mp4')
    alone = list(inferencer(long)), list(inferencer(short))
    assert any(result.people for result in alone[0])
    runs = inferencer(long), inferencer(short)
    found: tuple[list[FrameResult], list[FrameResult]] = [], []
    for _ in range(FRAMES):
        for results, run in zip(found, runs, strict=True):
            results.extend(result for result in [next(run, None)] if result is not None)
    for results, expected in zip(found, alone, strict=True):
        assert_same(results, expected)


def test_two_threads_share_an_inferencer(inferencer, grey_video):
    videos = [grey_video(FRAMES - number, name=f'{number}.mp4') for number in range(3)]
    alone, together = [list(inferencer(video)) for video in videos], {}

    def infer(video: Path) -> None:
        together[video] = list(inferencer(video))

    threads = [threading.Thread(target=infer, args=(video,)) for video in videos]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for video, expected in zip(videos, alone, strict=True):
        assert_same(together[video], expected)


def test_a_run_that_is_left_half_way_does_not_touch_the_next(inferencer, grey_video):
    video = grey_video(FRAMES)
    expected = list(inferencer(video))
    left = inferencer(video)
    next(left)
    assert_same(list(inferencer(video)), expected)


def test_each_run_counts_its_own_swapped_sides(inferencer, grey_video):
    video = grey_video(FRAMES)
    first, second = inferencer(video), inferencer(video)
    list(first)
    assert second.num_side_swaps == 0


def test_building_leaves_the_generators_alone_and_the_seed_decides_the_weights(tiny_lifter, inferencer):
    sources = {'detector': inferencer.detector, 'pose_estimator': inferencer.pose_estimator}

    def build(seed: int) -> VideoPoseInferencer:
        return VideoPoseInferencer(lifter=(tiny_lifter, 'random'), seed=seed, **sources)

    def weights(seed: int) -> torch.Tensor:
        return torch.cat([value.flatten() for value in build(seed).model.parameters()])

    torch.manual_seed(7)
    np.random.seed(7)
    random.seed(7)
    expected = torch.rand(3), np.random.rand(3), random.random()
    torch.manual_seed(7)
    np.random.seed(7)
    random.seed(7)
    built = weights(3)
    assert torch.equal(torch.rand(3), expected[0])
    np.testing.assert_array_equal(np.random.rand(3), expected[1])
    assert random.random() == expected[2]
    assert torch.equal(weights(3), built)
    assert not torch.equal(weights(4), built)
    torch.manual_seed(3)
    plain = posediff.init_model(tiny_lifter)
    assert torch.equal(torch.cat([value.flatten() for value in plain.parameters()]), built)
