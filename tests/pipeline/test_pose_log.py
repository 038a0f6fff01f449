"""Logged poses are read back unchanged, also after an interrupted run."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from posediff.pipeline import pose_log
from posediff.pipeline.pose_log import PoseLog
from posediff.structures.frame_poses import FramePoses

ABOUT = {'video': 'a.mp4', 'detector': {'type': 'WholeFrameDetector'}}


def some(count: int) -> list[FramePoses]:
    rng = np.random.default_rng(0)
    found = []
    for frame in range(count):
        people = frame % 3
        boxes, scores = rng.random((people, 4)).astype(np.float32), rng.random(people).astype(np.float32)
        keypoints = rng.random((people, 17, 2)).astype(np.float32)
        found.append(
            FramePoses(
                frame, frame / 25, boxes, scores, keypoints, keypoints[..., 0], crops=boxes + 1, after_cut=frame == 5
            )
        )
    return found


def assert_equal(found: list[FramePoses], expected: list[FramePoses]) -> None:
    assert len(found) == len(expected)
    for one, other in zip(found, expected, strict=True):
        for name in FramePoses.__dataclass_fields__:
            np.testing.assert_array_equal(getattr(one, name), getattr(other, name))


@pytest.mark.parametrize('part_frames', [1, 3, 100])
@pytest.mark.parametrize('broken_at', [0, 4, 7])
def test_a_broken_run_goes_on(tmp_path, monkeypatch, part_frames, broken_at):
    monkeypatch.setattr(pose_log, 'PART_FRAMES', part_frames)

    def breaking():
        yield from some(10)[:broken_at]
        raise MemoryError

    first = PoseLog(tmp_path / '.sightings', ABOUT)
    with pytest.raises(MemoryError):
        list(first.record(breaking()))
    if not broken_at:
        assert not (tmp_path / '.sightings').exists()
        return
    second = PoseLog(tmp_path / '.sightings', ABOUT, resume=True)
    assert second.num_frames == broken_at
    assert_equal([*second.read(), *second.record(some(10)[broken_at:])], some(10))
    third = PoseLog(tmp_path / '.sightings', ABOUT, resume=True)
    assert_equal(list(third.read()), some(10))
    third.remove()
    assert not (tmp_path / '.sightings').exists()


def test_it_goes_on_with_the_same_thing_or_not_at_all(tmp_path):
    with pytest.raises(FileNotFoundError, match='holds no interrupted run'):
        PoseLog(tmp_path / '.sightings', ABOUT, resume=True)
    log = PoseLog(tmp_path / '.sightings', ABOUT)
    list(log.record(some(3)))
    with pytest.raises(ValueError, match=r'was started with video a\.mp4, not b\.mp4'):
        PoseLog(tmp_path / '.sightings', ABOUT | {'video': 'b.mp4'}, resume=True)


def test_a_fresh_start_removes_a_broken_run_only_if_told_to(tmp_path):
    list(PoseLog(tmp_path / '.sightings', ABOUT).record(some(3)))
    with pytest.raises(FileExistsError, match='--resume continues it, --overwrite removes it'):
        PoseLog(tmp_path / '.sightings', ABOUT)
    assert PoseLog(tmp_path / '.sightings', ABOUT, resume=True).num_frames == 3
    assert PoseLog(tmp_path / '.sightings', ABOUT, overwrite=True).num_frames == 0
    assert PoseLog(tmp_path / '.sightings', ABOUT).num_frames == 0


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def scratch(path: Path) -> None:
    content = bytearray(path.read_bytes())
    for place in range(len(content) // 4, len(content) // 2):
        content[place] ^= 0xFF
    path.write_bytes(content)


def without_people(path: Path) -> None:
    with np.load(path) as part:
        arrays = dict(part)
    np.savez(path, **arrays | {'boxes': arrays['boxes'][:-1]})


DAMAGES = {
    'cut off': cut,
    'empty': lambda path: path.write_bytes(b''),
    'scratched': scratch,
    'something else': lambda path: np.savez(path, other=np.zeros(3)),
    'lost': Path.unlink,
    'without a person': without_people,
}


@pytest.mark.parametrize('damage', DAMAGES)
@pytest.mark.parametrize('part', [0, 1, 2])
def test_a_damaged_part_is_set_aside_and_its_frames_are_looked_at_again(tmp_path, monkeypatch, damage, part):
    monkeypatch.setattr(pose_log, 'PART_FRAMES', 4)
    folder = tmp_path / '.sightings'
    list(PoseLog(folder, ABOUT).record(some(12)))
    path = folder / f'{4 * part:09d}.npz'
    DAMAGES[damage](path)
    log = PoseLog(folder, ABOUT, resume=True)
    if damage == 'lost' and part == 2:
        assert log.problem is None  # no reader can tell
    else:
        named = folder / f'{4 * part + 4 * (damage == "lost"):09d}.npz'
        assert log.problem.startswith(f'{named} cannot be read')
        assert f'frames from {4 * part} on are processed again' in log.problem
        assert named.with_suffix('.npz.damaged').exists()
    assert log.num_frames == 4 * part
    assert (log.last is None) == (part == 0)
    assert_equal([*log.read(), *log.record(some(12)[4 * part :])], some(12))
    again = PoseLog(folder, ABOUT, resume=True)
    assert again.problem is None
    assert_equal(list(again.read()), some(12))


@pytest.mark.parametrize('text', ['', '{"video": "a', '3', 'null'])
def test_a_damaged_description_is_one_error_that_names_it(tmp_path, text):
    folder = tmp_path / '.sightings'
    list(PoseLog(folder, ABOUT).record(some(3)))
    (folder / 'about.json').write_text(text)
    with pytest.raises(ValueError, match=r'about\.json is damaged .*--overwrite removes it'):
        PoseLog(folder, ABOUT, resume=True)


def test_a_log_of_an_earlier_version_has_neither_cuts_nor_crops(tmp_path):
    log = PoseLog(tmp_path / '.sightings', ABOUT)
    list(log.record(some(7)))
    (path,) = (tmp_path / '.sightings').glob('*.npz')
    with np.load(path) as part:
        kept = {name: part[name] for name in part.files if name not in ('crops', 'after_cut')}
    np.savez(path, **kept)
    found = list(PoseLog(tmp_path / '.sightings', ABOUT, resume=True).read())
    assert not any(frame.after_cut for frame in found)
    for frame, expected in zip(found, some(7), strict=True):
        np.testing.assert_array_equal(frame.keypoints_2d, expected.keypoints_2d)
        assert frame.crops.shape == (len(frame), 4)
        assert np.isnan(frame.crops).all()
