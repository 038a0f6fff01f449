"""People of other videos in the crop."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip('mmpose')
pytest.importorskip('cv2')

from posediff.datasets.posetrack import PoseTrackClipDataset  # noqa: E402
from posediff.datasets.transforms import PasteOtherPerson  # noqa: E402
from posediff.datasets.transforms.other_people import joints_box, pasted, rounded_mask, scaled_person  # noqa: E402

CROP = [
    {'type': 'LoadClip'},
    {'type': 'mmpose.GetBBoxCenterScale', 'padding': 1.25},
    {'type': 'mmpose.TopdownAffine', 'input_size': (72, 96), 'use_udp': True},
]


def dataset(source, **options):
    return PoseTrackClipDataset(source, num_frames=5, pipeline=[*CROP, {'type': 'PasteOtherPerson', **options}])


def changes(item, grey):
    """Return where the clip differs from its own grey: (T, H, W) bool."""
    return (np.stack(item['img']).astype(int) - grey).any(axis=-1)


def test_the_target_is_covered_no_more_than_allowed_and_keeps_its_labels(grey_videos):
    source = grey_videos([100, 200])
    found = dataset(source, prob=1.0, max_cover=0.3, max_speed=0.1)
    plain = PoseTrackClipDataset(source, num_frames=5, pipeline=CROP)[1]
    x1, y1, x2, y2 = joints_box(plain, (96, 72))
    columns, rows = np.arange(72), np.arange(96)
    inside = ((rows >= y1) & (rows <= y2))[:, None] & ((columns >= x1) & (columns <= x2))
    shares, sides = [], set()
    for epoch in range(60):
        found.set_epoch(epoch)
        item = found[1]
        for name in ('keypoints', 'transformed_keypoints', 'keypoints_visible'):
            np.testing.assert_array_equal(item[name], plain[name])
        pasted_pixels = changes(item, 100)
        assert (np.stack(item['img'])[pasted_pixels] > 100).all()
        shares.append((pasted_pixels & inside).sum(axis=(1, 2)) / inside.sum())
        middle = pasted_pixels[2].any(axis=0).nonzero()[0]
        sides.add('left' if middle.size and middle.mean() < 36 else 'right')
    assert np.max(shares) <= 0.3
    assert np.max(shares) > 0.1  # some are covered
    assert sides == {'left', 'right'}
    assert (np.ptp(shares, axis=1) > 0).any()  # it moves


def test_items_depend_on_seed_epoch_and_index_only(grey_videos):
    source = grey_videos([100, 200])
    first, second = (dataset(source, prob=1.0) for _ in range(2))
    np.testing.assert_array_equal(first[0]['img'], second[0]['img'])
    before = first[0]['img']
    first.set_epoch(1)
    assert (np.stack(first[0]['img']) != np.stack(before)).any()


def test_nobody_of_the_same_video_is_pasted(grey_videos):
    found = dataset(grey_videos([100]), prob=1.0)
    for epoch in range(5):
        found.set_epoch(epoch)
        assert not changes(found[1], 100).any()


def test_nothing_is_pasted_outside_of_the_picture(grey_videos):
    source = grey_videos([100, 200])
    narrow = [
        CROP[0],
        lambda results: results | {'bbox_center': np.array([[8.0, 24.0]]), 'bbox_scale': np.array([[48.0, 64.0]])},
        CROP[2],
    ]
    paste = {'type': 'PasteOtherPerson', 'prob': 1.0, 'max_cover': 1.0}
    found = PoseTrackClipDataset(source, num_frames=5, pipeline=[*narrow, paste])
    plain = np.stack(PoseTrackClipDataset(source, num_frames=5, pipeline=narrow)[1]['img'])
    assert (plain == 0).any()
    pasted_once = False
    for epoch in range(20):
        found.set_epoch(epoch)
        frames = np.stack(found[1]['img'])
        assert not frames[plain == 0].any()
        pasted_once |= bool((frames != plain).any())
    assert pasted_once


def test_a_patch_is_blended_where_it_lies_in_the_frame():
    frame, patch = np.full((20, 30, 3), 50, np.uint8), np.full((8, 6, 3), 250, np.uint8)
    opacity, everywhere = rounded_mask(8, 6), np.ones((20, 30), bool)
    result = pasted(frame, patch, opacity, everywhere, 10, 4)
    assert result[8, 13].tolist() == [250] * 3
    assert (result != 50).any(axis=-1).nonzero()[0].min() >= 4
    assert (result != 50).any(axis=-1).nonzero()[1].max() <= 15
    cut = pasted(frame, patch, opacity, everywhere, -3, -4)
    np.testing.assert_array_equal(cut[:4, :3], result[8:12, 13:16])
    np.testing.assert_array_equal(pasted(frame, patch, opacity, everywhere, 30, 0), frame)
    assert (frame == 50).all()
    np.testing.assert_allclose(opacity, opacity[::-1, ::-1], atol=1e-6)
    assert opacity[0, 0, 0] == 0
    assert opacity.max() == 1


def test_people_are_scaled_to_the_height_unless_they_are_too_wide(grey_videos):
    source = PoseTrackClipDataset(grey_videos([70]), num_frames=1).source
    record = source.get_data_info(0)
    assert scaled_person(record, 72, 200).shape == (72, 48, 3)
    assert scaled_person(record, 18, 200).shape == (18, 12, 3)
    assert scaled_person(record, 72, 24).shape == (36, 24, 3)
    assert scaled_person(record | {'bbox': np.array([[70.0, 5, 90, 20]])}, 72, 24) is None


@pytest.mark.parametrize(
    ('options', 'said'),
    [
        ({'height': (0, 1)}, r'height\[0\] must be between 0.1 and 3, got 0'),
        ({'max_cover': 2}, 'max_cover must be between 0 and 1, got 2'),
        ({'max_speed': -1}, 'max_speed must be between 0 and 1, got -1'),
    ],
)
def test_senseless_arguments_are_refused(options, said):
    with pytest.raises(ValueError, match=said):
        PasteOtherPerson(**options)
