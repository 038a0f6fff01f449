"""Generated datasets: equal for any number of workers, complete sequences only, readable by MMPose."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from posediff.synthetic import writing
from posediff.synthetic.generate import VideoSet, generate_videos
from posediff.synthetic.scene import ClipSettings

TINY = VideoSet(ClipSettings(seed=5, frames=3, img_shape=(48, 64), subframes=1), {'train': 2, 'val': 1}, label_every=2)


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob('*')) if path.is_file()}


@pytest.fixture(scope='module')
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp('videos') / 'set'
    assert generate_videos(folder, TINY) == {'written': 3, 'kept': 0}
    return folder


@pytest.fixture
def main(cli) -> Callable[[list[str]], None]:
    return cli('make_synthetic_video').main


def test_layout_and_ids_are_posetracks(made: Path) -> None:
    assert sorted(path.name for path in (made / 'images' / 'train').iterdir()) == [
        '000001_mpiinew_synthetic_train',
        '000002_mpiinew_synthetic_train',
    ]
    for split, names in (('train', ['000001_mpiinew_synthetic_train']), ('val', ['500001_mpiinew_synthetic_test'])):
        content = json.loads((made / 'annotations' / split / f'{names[0]}.json').read_text())
        merged = json.loads((made / 'annotations' / f'posetrack18_{split}.json').read_text())
        assert content['categories'] == merged['categories']
        assert content['images'] == merged['images'][:3]
        for number, image in enumerate(content['images']):
            assert image['file_name'] == f'images/{split}/{names[0]}/{number:06d}.jpg'
            assert (made / image['file_name']).read_bytes()[:2] == b'\xff\xd8'
            assert image['id'] == image['frame_id'] == 3 * 10**10 + int(names[0][:6]) * 10**4 + number
            assert (image['vid_id'], image['nframes']) == (names[0][:6], 3)
            assert (image['width'], image['height']) == (64, 48)
            assert image['is_labeled'] == (split == 'train' or number % 2 == 0)
            people = [entry for entry in content['annotations'] if entry['image_id'] == image['id']]
            assert image['is_labeled'] or not people
            assert [entry['id'] for entry in people] == [image['id'] * 100 + entry['track_id'] for entry in people]
        ids = [entry['id'] for entry in merged['annotations']]
        assert len(set(ids)) == len(ids) > 0


def test_workers_change_nothing(made: Path, tmp_path: Path) -> None:
    generate_videos(tmp_path, TINY, workers=2)
    assert contents(tmp_path) == contents(made)


def test_an_interrupted_run_leaves_whole_sequences_and_is_finished_later(
    made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    render, seen = writing.render, []

    def failing(scene):
        for frame in render(scene):
            seen.append(scene.index)
            if len(seen) == 5:
                raise KeyboardInterrupt
            yield frame

    monkeypatch.setattr(writing, 'render', failing)
    with pytest.raises(KeyboardInterrupt):
        generate_videos(tmp_path, TINY)
    monkeypatch.undo()
    first = '000001_mpiinew_synthetic_train'
    assert [path.stem for path in (tmp_path / 'annotations').rglob('*.json')] == [first]
    assert [path.name for path in (tmp_path / 'images').glob('*/[0-9]*')] == [first]
    assert generate_videos(tmp_path, TINY) == {'written': 2, 'kept': 1}
    assert contents(tmp_path) == contents(made)


def test_a_set_can_grow_but_not_change(made: Path, tmp_path: Path) -> None:
    small = VideoSet(TINY.settings, {'train': 1, 'val': 1}, label_every=2)
    generate_videos(tmp_path, small)
    assert generate_videos(tmp_path, TINY) == {'written': 1, 'kept': 2}
    assert contents(tmp_path) == contents(made)
    with pytest.raises(FileExistsError, match='made for 2 clips of train, not 1'):
        generate_videos(tmp_path, small)
    with pytest.raises(FileExistsError, match='other arguments: seed 5, not 6'):
        generate_videos(tmp_path, VideoSet(ClipSettings(6, 3, (48, 64), subframes=1), TINY.clips, label_every=2))


def test_a_folder_of_something_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / 'thesis.tex').touch()
    with pytest.raises(FileExistsError, match='not empty'):
        generate_videos(tmp_path, TINY)
    assert [path.name for path in tmp_path.iterdir()] == ['thesis.tex']


def test_mmpose_reads_it(made: Path) -> None:
    pytest.importorskip('mmpose')
    from mmpose.datasets.datasets.body import PoseTrack18Dataset, PoseTrack18VideoDataset

    merged = json.loads((made / 'annotations' / 'posetrack18_train.json').read_text())
    common = dict(data_root=str(made), ann_file='annotations/posetrack18_train.json', data_prefix=dict(img=''))  # noqa: C408
    images = PoseTrack18Dataset(**common)
    assert len(images) == len(merged['annotations'])
    videos = PoseTrack18VideoDataset(
        **common, frame_sampler_mode='fixed', frame_indices=[-1, 0, 1], frame_weights=[0.25, 0.5, 0.25], test_mode=True
    )
    assert len(videos) == len(merged['annotations'])
    item, entry = videos.get_data_info(0), merged['annotations'][0]
    assert all(Path(path).is_file() for path in item['img_path'])
    keypoints = np.array(entry['keypoints'], float).reshape(17, 3)
    np.testing.assert_allclose(item['keypoints'][0], keypoints[:, :2], atol=1e-4)
    np.testing.assert_array_equal(item['keypoints_visible'][0], keypoints[:, 2])


@pytest.mark.parametrize(
    ('arguments', 'complaint'),
    [
        (['--size', '320'], "'320' is not WxH"),
        (['--size', '8x8'], 'of 32 to 4096 px'),
        (['--frames', '0'], "'0' is not a positive number"),
        (['--frames', '10000'], 'more than 9999'),
        (['--train-clips', '-1'], 'not a number of clips'),
        (['--train-clips', '0', '--val-clips', '0'], 'are both 0'),
        (['--workers', 'all'], "'all' is not a positive number"),
        (['--motion', 'nowhere'], 'nowhere: no such folder'),
    ],
)
def test_bad_arguments_end_in_one_line(
    main: Callable, arguments: list[str], complaint: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stop:
        main([str(tmp_path / 'out'), *arguments])
    assert stop.value.code == 2
    error = capsys.readouterr().err.strip().splitlines()[-1]
    assert complaint in error
    assert not (tmp_path / 'out').exists()


def test_the_tool_makes_a_set_of_motion_files(
    main: Callable, tmp_path: Path, mocap_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / 'videos'
    arguments = ['--motion', str(mocap_folder), '--train-clips', '1', '--val-clips', '1', '--frames', '2']
    main([str(out), *arguments, '--size', '64x48', '--workers', '1'])
    assert '2 sequences written, 0 kept' in capsys.readouterr().out
    assert json.loads((out / 'dataset.json').read_text())['motion'] == 'files'
    with pytest.raises(SystemExit, match='2'):
        main([str(out), '--train-clips', '1', '--val-clips', '1', '--frames', '2', '--size', '64x48'])
    assert 'motion files, not generated' in capsys.readouterr().err
