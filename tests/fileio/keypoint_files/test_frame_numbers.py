"""Frame indices as integers in any notation, and as image names."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from posediff.fileio.keypoint_files.frame_numbers import frame_numbers, stem_of


def numbers(*frames: Any) -> list[int]:
    return frame_numbers([(f'entry {number}', frame) for number, frame in enumerate(frames)])


@pytest.mark.parametrize(
    ('frames', 'expected'),
    [
        ((0, 7.0, '7', '12.0', 10003420000), [0, 7, 7, 12, 10003420000]),
        (('0.jpg', '12.jpg', '7.jpg'), [0, 12, 7]),
        (('frame_0012.png', 'frame_0003.png'), [12, 3]),
        (('out/cam1/frame_0012.png', 'out/cam2/frame_0003.PNG'), [12, 3]),
        ((r'C:\out\img-3.jpeg', r'C:\out\img-4.jpeg'), [3, 4]),
        (('cam1_0012_640x480.png', 'cam1_0013_640x480.png'), [12, 13]),
        (('2024-01-05_00007.jpg', '2024-01-05_00008.jpg'), [7, 8]),
        (('clip.mp4_000001.png', 'clip.mp4_000002.png'), [1, 2]),
        (('clip_2_000000000012_keypoints.json',), [12]),
        (('cam01.0031.json', 'cam01.0032.json'), [31, 32]),
        ((), []),
    ],
)
def test_numbers_and_names(frames: tuple[Any, ...], expected: list[int]) -> None:
    assert numbers(*frames) == expected


@pytest.mark.parametrize(
    ('frames', 'said'),
    [
        ((0, -1), 'entry 1: a frame is a whole number from 0 .* got -1'),
        ((0.5,), 'entry 0: .* got 0.5'),
        ((float('nan'),), 'got nan'),
        ((float('inf'),), 'got inf'),
        ((1e300,), 'got 1e'),
        ((True,), 'got True'),
        ((None,), 'got None'),
        (({'a': 1},), 'got {'),
        (('cat.jpg', 'dog.jpg'), "entry 0: the name 'cat.jpg' holds no number"),
        (('a_1.jpg', 'b_2.jpg'), 'have no form in common'),
        (('cam1_1.jpg', 'cam2_2.jpg'), 'several numbers change from name to name'),
        (('1.jpg', 2), "frame '1.jpg' is a name, others are numbers"),
    ],
)
def test_what_is_not_clear_is_refused(frames: tuple[Any, ...], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        numbers(*frames)


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.integers(0, 10**7), min_size=2, max_size=6, unique=True),
    st.sampled_from(['{:d}.jpg', 'clip_{:06d}.png', 'a1/b2_{:04d}_640x480.jpeg', 'x{:d}', '{:012d}_keypoints.json']),
)
def test_any_numbers_come_back_from_names(frames: list[int], form: str) -> None:
    assert numbers(*(form.format(frame) for frame in frames)) == frames


def test_stems() -> None:
    assert stem_of('a/b/clip_000000000012_keypoints.json') == 'clip_000000000012'
    assert stem_of('12.jpg') == '12'
