"""Who keeps the id: crossings, occlusions, people who come and go."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from posediff.tracking import PoseTracker

quick = settings(max_examples=15, deadline=None)


def apart(walkers, frame, fps):
    """Mean distance of the keypoints of two people, px; each is 200 px tall."""
    one, other = (walker.keypoints(frame / fps) for walker in walkers)
    return np.linalg.norm(one - other, axis=-1).mean()


@given(st.floats(60, 240), st.floats(0, 6), st.integers(0, 1000))
@quick
@example(84.0, 0.0, 0)  # these five met in the same pose with crossing limbs, and swapped ids
@example(66.03687160478673, 0.0, 449)
@example(67.31200437376287, 0.4511837309181912, 964)
@example(91.16531234885521, 1.919239810079656, 44)
@example(123.18208398964268, 0.9409260445879286, 778)
@example(60.0, 3.6796875, 105)  # these two were told apart by noise in their boxes
@example(83.73023571960803, 5.991353343910225, 233)
def test_people_who_walk_through_each_other_keep_their_ids(kit, speed, phase, seed):
    """Equal boxes that lie on each other for several frames, both found throughout."""
    walkers = [kit.Walker(lambda t: 100 + speed * t), kit.Walker(lambda t: 400 - speed * t, phase, frequency=1.1)]
    found = kit.Film(walkers, seed=seed).track(PoseTracker(), range(int(300 / speed * kit.FPS)))
    for frame, ids in enumerate(found[1:], start=1):
        assert sorted(ids.values()) == [0, 1]
        if apart(walkers, frame, kit.FPS) > 15:  # nobody could tell who is at the same place in the same pose
            assert ids == found[1]


@given(st.floats(100, 200), st.floats(0, 6), st.integers(1, 24), st.integers(0, 1000))
@quick
def test_one_who_is_hidden_for_up_to_a_second_comes_back(kit, speed, phase, missed, seed):
    """The same crossing, but one of the two is not found in the middle of it."""
    walkers = [kit.Walker(lambda t: 100 + speed * t), kit.Walker(lambda t: 400 - speed * t, phase, frequency=1.1)]
    meet = int(150 / speed * kit.FPS)
    first = meet - missed // 2
    film = kit.Film(walkers, lambda walker, frame: walker == 1 and first <= frame < first + missed, seed=seed)
    found = film.track(PoseTracker(), range(2 * meet))
    for frame, ids in enumerate(found[1:], start=1):
        assert set(ids.values()) <= {0, 1}
        if apart(walkers, frame, kit.FPS) > 60:
            assert ids == {walker: found[1][walker] for walker in ids}


def meet_and_turn_back(kit):
    """They come as near as one box and go back: what moves on says the contrary of what happens."""

    def there(time):
        return max(0.0, 1.5 - abs(time - 1.5)) * 100

    return [kit.Walker(lambda t: 100 + there(t)), kit.Walker(lambda t: 400 - there(t), phase=np.pi / 2)]


@pytest.mark.parametrize('seed', range(5))
def test_poses_tell_people_apart_whose_boxes_do_not(kit, seed):
    film = kit.Film(meet_and_turn_back(kit), seed=seed)
    found = film.track(PoseTracker(), range(75))
    assert len(kit.ids_of(found, 0)) == len(kit.ids_of(found, 1)) == 1


def test_boxes_alone_do_not_tell_them_apart(kit):
    """The control of the test above."""
    films = [kit.Film(meet_and_turn_back(kit), seed=seed) for seed in range(5)]
    assert any(len(kit.ids_of(film.track(PoseTracker(), range(75), poses=False), 0)) > 1 for film in films)


@pytest.mark.parametrize('fps', [10.0, 25.0, 60.0])
def test_max_lost_s_is_in_seconds(kit, fps):
    """The frame that is ``max_lost_s`` after the last keeps the id, the next one does not."""
    walker = kit.Walker(lambda t: 100 + 30 * t)
    for missed, num_ids in ((int(0.5 * fps) - 1, 1), (int(0.5 * fps), 2)):
        film = kit.Film([walker], lambda index, frame, until=10 + missed: 10 <= frame < until)
        found = film.track(PoseTracker(max_lost_s=0.5), range(20 + missed), fps=fps)
        assert len(kit.ids_of(found, 0)) == num_ids


def test_people_come_and_go_and_ids_do_not_come_back(kit):
    """One after the other through the picture; two are there at a time."""
    walkers = [kit.Walker(lambda t, start=start: 100 * (t - start), phase=start) for start in range(8)]

    def away(walker, frame):
        return not walker <= frame / kit.FPS < walker + 2

    found = kit.Film(walkers, away).track(PoseTracker(), range(int(10 * kit.FPS)))
    assert [kit.ids_of(found, walker) for walker in range(8)] == [[walker] for walker in range(8)]


@given(st.integers(0, 10_000), st.floats(0, 0.3))
@quick
def test_a_static_scene_never_switches(kit, seed, missing):
    """Five people who overlap by half, found with noise and not always."""
    rng = np.random.default_rng(seed)
    walkers = [kit.Walker(lambda t, x=x: 100 + 50.0 * x, phase=x, frequency=0.0) for x in range(5)]
    hidden = rng.random((5, 60)) < missing
    hidden[:, :2] = False  # so that everybody has an id from the second frame on
    film = kit.Film(walkers, lambda walker, frame: hidden[walker, frame], noise_px=3.0, seed=seed)
    found = film.track(PoseTracker(), range(60))
    ids = [kit.ids_of(found, walker) for walker in range(5)]
    assert sorted(ids) == [[0], [1], [2], [3], [4]]


def test_low_scores_go_on_with_a_track_and_do_not_begin_one(kit):
    walker = kit.Walker(lambda t: 100 + 50 * t)
    film = kit.Film([walker], score=0.3)
    assert kit.ids_of(film.track(PoseTracker(), range(10)), 0) == []
    tracker = PoseTracker()
    tracker.reset(kit.FPS)
    for frame, score, expected in ((0, 0.9, -1), (1, 0.9, 0), (2, 0.3, 0), (3, 0.09, -1), (4, 0.3, 0), (5, 0.9, 0)):
        time = frame / kit.FPS
        ids = tracker.update(frame, [walker.box(time)], [score], [walker.keypoints(time)])
        assert ids.tolist() == [expected], frame


@pytest.mark.parametrize('min_hits', [1, 2, 4])
def test_min_hits(kit, min_hits):
    found = kit.Film([kit.Walker(lambda t: 100.0)]).track(PoseTracker(min_hits=min_hits), range(6))
    assert [frame[0] for frame in found] == [-1] * (min_hits - 1) + [0] * (7 - min_hits)


def test_a_track_without_id_ends_with_the_first_frame_that_it_is_not_found_in(kit):
    film = kit.Film([kit.Walker(lambda t: 100.0)], lambda walker, frame: frame in (1, 3))
    found = film.track(PoseTracker(min_hits=2), range(7))
    assert [frame.get(0) for frame in found] == [-1, None, -1, None, -1, 0, 0]


def test_frames_may_be_left_out(kit):
    """Every fifth frame of the crossing: time is taken from the number of the frame."""
    walkers = [kit.Walker(lambda t: 100 + 100 * t), kit.Walker(lambda t: 400 - 100 * t, 2.0, frequency=0.6)]
    found = kit.Film(walkers).track(PoseTracker(), range(0, 75, 5))
    assert len(kit.ids_of(found, 0)) == len(kit.ids_of(found, 1)) == 1


def test_somebody_of_whom_a_strip_is_seen_is_recognised_by_the_keypoints(kit):
    """The box of what is seen has little in common with that of the whole person; three keypoints have."""
    walker = kit.Walker(lambda t: 100 + 50 * t)
    tracker = PoseTracker()
    tracker.reset(kit.FPS)
    ids = []
    for frame in range(20):
        box, keypoints = walker.box(frame / kit.FPS), walker.keypoints(frame / kit.FPS)
        scores = np.ones(13)
        if 5 <= frame < 15:
            scores[3:] = 0
            box[3] = box[1] + 60
        ids += tracker.update(frame, [box], [0.9], [keypoints], [scores]).tolist()
    assert ids == [-1] + [0] * 19


@pytest.mark.parametrize(
    ('options', 'said'),
    [
        ({'max_lost_s': -1}, 'max_lost_s must be at least 0, got -1'),
        ({'max_lost_s': float('nan')}, 'max_lost_s must be a finite number'),
        ({'min_hits': 0}, 'min_hits must be a whole number of at least 1'),
        ({'pose_weight': 1.5}, 'pose_weight must be between 0 and 1, got 1.5'),
        ({'low_score': 0.7}, 'low_score 0.7 is above high_score 0.6'),
        ({'sigmas': [0.1, 0.0]}, 'sigmas must be positive'),
    ],
)
def test_options_out_of_range_are_refused(options, said):
    with pytest.raises(ValueError, match=f'PoseTracker: {said}'):
        PoseTracker(**options)


def test_sigmas_have_to_be_as_many_as_keypoints(kit):
    with pytest.raises(ValueError, match='17 sigmas for 13 keypoints'):
        kit.Film([kit.Walker(lambda t: 100.0)]).track(PoseTracker(sigmas=[0.1] * 17), range(2))
    found = kit.Film([kit.Walker(lambda t: 100.0)]).track(PoseTracker(sigmas=[0.1] * 13), range(3))
    assert kit.ids_of(found, 0) == [0]
