"""Folders of images, photos and animated images."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

pytest.importorskip('av')

from posediff.video import LiveVideo, open_video  # noqa: E402
from posediff.video.images import natural_order  # noqa: E402


def shade(number: int) -> Image.Image:
    return Image.fromarray(np.full((32, 32, 3), 10 * number, np.uint8))


def shades(video) -> list[int]:
    return [round(float(frame.image.mean()) / 10) for frame in video]


@pytest.mark.parametrize(
    'name', ['frame_{}.jpg', '{}.png', 'cam2_{}_x264.jpg', 'take 10 ({}).PNG', '2024-01-05 img-{}.bmp']
)
def test_images_come_in_the_order_of_their_numbers(tmp_path, name):
    for number in (*range(1, 13), 20):
        shade(number).save(tmp_path / name.format(number))
    video = open_video(tmp_path, fps=30)
    assert shades(video) == [*range(1, 13), 20]
    assert [path.name for path in video.images] == [name.format(number) for number in (*range(1, 13), 20)]


@given(st.lists(st.integers(0, 10**20), min_size=1, max_size=20, unique=True), st.integers(0, 12))
@settings(max_examples=50)
def test_order_does_not_depend_on_padding(found, width):
    paths = [Path(f'a_{number:0{width}d}.jpg') for number in found]
    assert sorted(paths, key=natural_order) == [Path(f'a_{number:0{width}d}.jpg') for number in sorted(found)]


@pytest.mark.parametrize(
    'ordered',
    [
        ['frame_-10', 'frame_-9', 'frame_0', 'frame_3', 'frame_12'],
        ['-2', '-1', '0', '1', '10'],
        ['take-1', 'take-2', 'take-10'],
        ['2024-01-09_2', '2024-01-10_1', '2024-01-10_10'],
        ['a_1_9', 'a_1_10', 'a_2_1', 'a_10_1'],
    ],
)
def test_hyphens_are_signs_or_divide(ordered):
    paths = [Path(f'{name}.png') for name in ordered]
    assert sorted([*paths[2:], *paths[:2]], key=natural_order) == paths


def test_odd_names_have_an_order():
    ordered = ['1.jpg', '01.png', '2.jpg', 'a.jpg', 'a1.jpg', 'a1b2.jpg', 'a1b10.jpg', 'a²3.jpg', 'b.jpg', 'b٣.jpg']
    found = [path.name for path in sorted(map(Path, ordered[::-1]), key=natural_order)]
    assert found[2:] == ordered[2:]
    assert set(found[:2]) == {'1.jpg', '01.png'}


def test_hidden_files_and_folders_are_no_images(tmp_path):
    for number in (1, 2):
        shade(number).save(tmp_path / f'{number}.jpg')
        (tmp_path / f'._{number}.jpg').write_bytes(b'\0\5\x16\7 AppleDouble')
    (tmp_path / '.hidden.png').touch()
    (tmp_path / 'folder.jpg').mkdir()
    video = open_video(tmp_path, fps=5)
    assert shades(video) == [1, 2]
    assert video.problem is None


def test_pictures_of_a_folder_are_numbered_with_the_broken_ones(tmp_path):
    for number in range(5):
        shade(number).save(tmp_path / f'{number}.jpg')
    (tmp_path / '2.jpg').write_bytes(b'')
    frames = list(open_video(tmp_path, fps=5))
    assert [(frame.picture, frame.repeated) for frame in frames] == [
        (0, False),
        (1, False),
        (1, True),
        (3, False),
        (4, False),
    ]


def test_capitals_do_not_order_images(tmp_path):
    names = ['IMG_1.JPG', 'img_2.jpg', 'Img_9.jpg', 'IMG_10.JPG']
    for number, name in enumerate(names):
        shade(number).save(tmp_path / name)
    assert [path.name for path in open_video(tmp_path, fps=5).images] == names


def test_images_that_cannot_be_used_are_named(tmp_path):
    for number in range(6):
        shade(number).save(tmp_path / f'{number}.jpg')
    for name in ('1.jpg', '2.jpg', '4.jpg', '5.jpg'):
        (tmp_path / name).write_bytes(b'')
    (tmp_path / '6.HEIC').touch()
    video = open_video(tmp_path, fps=5)
    assert shades(video)[0] == 0
    assert video.problem == f'{tmp_path}: 4 of its images cannot be read (1.jpg, 2.jpg, 4.jpg, …)'
    assert video.notes == [f'{tmp_path}: 1 pictures have unsupported formats and are left out: 6.HEIC']
    Image.new('RGB', (30, 20)).save(tmp_path / '1.jpg')
    video = open_video(tmp_path, fps=5)
    assert len(list(video)) == 1
    assert 'the picture at 0.2 s (1.jpg) is 30x20 px' in video.problem


def test_a_picture_in_two_forms_is_a_question(tmp_path):
    for name in ('a0.jpg', 'a1.jpg', 'a1.png'):
        shade(1).save(tmp_path / name)
    with pytest.raises(ValueError, match=r'has a1\.(jpg|png) and a1\.(jpg|png): keep one of them'):
        open_video(tmp_path, fps=5)


@pytest.mark.parametrize('suffix', ['.jpg', '.jpeg', '.jfif', '.ppm', '.PNG', '.webp', '.bmp', '.tiff', '.gif'])
def test_a_photo_is_a_video_of_one_frame(tmp_path, suffix):
    shade(9).save(tmp_path / f'a{suffix}')
    for fps in (None, 25.0):
        video = open_video(tmp_path / f'a{suffix}', fps=fps)
        (frame,) = video
        assert (frame.index, frame.time_s, video.num_frames, video.problem) == (0, 0, 1, None)
        assert frame.image.mean() == pytest.approx(90, abs=2)
        assert video.fps > 0
    assert len(list(LiveVideo(tmp_path / f'a{suffix}'))) == 1


def test_a_tiff_of_several_pages_is_no_photo(tmp_path):
    shade(1).save(tmp_path / 'a.tif', save_all=True, append_images=[shade(2), shade(3)])
    with pytest.raises(ValueError, match=r'a\.tif holds 3 pictures: save each of them as an image'):
        open_video(tmp_path / 'a.tif')


def test_a_photo_that_is_none_is_named(tmp_path):
    (tmp_path / 'a.jpg').write_bytes(b'no image')
    with pytest.raises(ValueError, match=r'a\.jpg: no frame could be decoded'):
        open_video(tmp_path / 'a.jpg')


@pytest.mark.parametrize('suffix', ['.gif', '.png', '.webp'])
def test_an_animation_is_a_video(tmp_path, suffix):
    path = tmp_path / f'a{suffix}'
    options = {'lossless': True} if suffix == '.webp' else {}
    first, *more = (shade(number) for number in range(5))
    first.save(path, save_all=True, append_images=more, duration=[100, 100, 300, 100, 100], **options)
    video = open_video(path)
    assert video.fps == pytest.approx(10)
    assert shades(video) == [0, 1, 2, 2, 2, 3, 4]
    assert [frame.repeated for frame in video] == [False, False, False, True, True, False, False]
