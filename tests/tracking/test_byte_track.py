"""The adapter of MMDetection's tracker."""

from __future__ import annotations

import sys

import pytest

from posediff.tracking import ByteTrackTracker


@pytest.fixture
def tracker():
    pytest.importorskip('mmdet.models', reason='ByteTrackTracker is a tracker of MMDetection')
    pytest.importorskip('lap', reason='ByteTrackTracker solves assignments with lap')
    return ByteTrackTracker()


def test_people_who_pass_each_other_keep_their_ids(kit, tracker):
    """One in front, so that boxes are of different height."""
    walkers = [kit.Walker(lambda t: 100 + 150 * t), kit.Walker(lambda t: 400 - 150 * t, y=360)]
    found = kit.Film(walkers).track(tracker, range(50))
    assert len(kit.ids_of(found, 0)) == len(kit.ids_of(found, 1)) == 1
    assert all(min(frame.values()) >= 0 for frame in found[1:])


def test_poses_are_not_looked_at(kit, tracker):
    walkers = [kit.Walker(lambda t: 100 + 150 * t), kit.Walker(lambda t: 400 - 150 * t)]
    with_poses, without = (kit.Film(walkers, seed=1).track(tracker, range(50), poses) for poses in (True, False))
    assert with_poses == without


@pytest.mark.parametrize('fps', [10.0, 25.0])
def test_max_lost_s_is_in_seconds(kit, tracker, fps):
    walker = kit.Walker(lambda t: 100.0)
    for missed, num_ids in ((int(fps) - 1, 1), (int(fps), 2)):
        for left_out in (True, False):  # whether frames without anybody are given
            film = kit.Film([walker], lambda index, frame, until=5 + missed: 5 <= frame < until)
            frames = [frame for frame in range(10 + missed) if not left_out or not 5 <= frame < 5 + missed]
            assert len(kit.ids_of(film.track(tracker, frames, fps=fps), 0)) == num_ids


@pytest.mark.parametrize('min_hits', [1, 3])
def test_min_hits(kit, tracker, min_hits):
    tracker.min_hits = min_hits
    found = kit.Film([kit.Walker(lambda t: 100.0)]).track(tracker, range(5))
    assert [frame[0] for frame in found] == [-1] * (min_hits - 1) + [0] * (6 - min_hits)


def test_low_scores_go_on_with_a_track_and_do_not_begin_one(kit, tracker):
    tracker.reset(kit.FPS)
    box = kit.Walker(lambda t: 100.0).box(0)
    scores = [0.3, 0.9, 0.9, 0.3, 0.05, 0.9]
    ids = [tracker.update(frame, [box], [score]).item() for frame, score in enumerate(scores)]
    assert ids == [-1, -1, 0, 0, -1, 0]


def test_what_is_missing_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, 'lap', None)
    with pytest.raises(ImportError, match=r'ByteTrackTracker needs lap.*PoseTracker needs neither'):
        ByteTrackTracker()


def test_options_out_of_range_are_refused():
    with pytest.raises(ValueError, match='low_score 0.7 is above high_score 0.6'):
        ByteTrackTracker(low_score=0.7)
    with pytest.raises(ValueError, match='min_iou must be a finite number'):
        ByteTrackTracker(min_iou=float('nan'))
