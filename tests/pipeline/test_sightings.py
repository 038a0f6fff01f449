"""Sightings come back as they were, also from a run that broke."""

from __future__ import annotations

import numpy as np
import pytest

from posediff.pipeline import sightings
from posediff.pipeline.sightings import Sighting, SightingsLog

ABOUT = {'video': 'a.mp4', 'detector': {'type': 'WholeFrameDetector'}}


def some(count: int) -> list[Sighting]:
    rng = np.random.default_rng(0)
    found = []
    for frame in range(count):
        people = frame % 3
        boxes, scores = rng.random((people, 4)).astype(np.float32), rng.random(people).astype(np.float32)
        keypoints = rng.random((people, 17, 2)).astype(np.float32)
        found.append(Sighting(frame, frame / 25, boxes, scores, keypoints, keypoints[..., 0]))
    return found


def assert_equal(found: list[Sighting], expected: list[Sighting]) -> None:
    assert len(found) == len(expected)
    for one, other in zip(found, expected, strict=True):
        for name in Sighting.__dataclass_fields__:
            np.testing.assert_array_equal(getattr(one, name), getattr(other, name))


@pytest.mark.parametrize('part_frames', [1, 3, 100])
@pytest.mark.parametrize('broken_at', [0, 4, 7])
def test_a_broken_run_goes_on(tmp_path, monkeypatch, part_frames, broken_at):
    monkeypatch.setattr(sightings, 'PART_FRAMES', part_frames)

    def breaking():
        yield from some(10)[:broken_at]
        raise MemoryError

    first = SightingsLog(tmp_path / '.sightings', ABOUT)
    with pytest.raises(MemoryError):
        list(first.record(breaking()))
    if not broken_at:
        assert not (tmp_path / '.sightings').exists()
        return
    second = SightingsLog(tmp_path / '.sightings', ABOUT, resume=True)
    assert second.num_frames == broken_at
    assert_equal([*second.read(), *second.record(some(10)[broken_at:])], some(10))
    third = SightingsLog(tmp_path / '.sightings', ABOUT, resume=True)
    assert_equal(list(third.read()), some(10))
    third.remove()
    assert not (tmp_path / '.sightings').exists()


def test_it_goes_on_with_the_same_thing_or_not_at_all(tmp_path):
    with pytest.raises(FileNotFoundError, match='holds no run that was broken off'):
        SightingsLog(tmp_path / '.sightings', ABOUT, resume=True)
    log = SightingsLog(tmp_path / '.sightings', ABOUT)
    list(log.record(some(3)))
    with pytest.raises(ValueError, match=r'was begun with video a\.mp4, not b\.mp4'):
        SightingsLog(tmp_path / '.sightings', ABOUT | {'video': 'b.mp4'}, resume=True)
    assert SightingsLog(tmp_path / '.sightings', ABOUT).num_frames == 0  # anew
