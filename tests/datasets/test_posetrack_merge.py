"""Files of single videos are merged into one file per split."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from posediff.datasets.converters.posetrack_merge import merge_posetrack


def contents(folder: Path) -> dict[Path, dict]:
    return {path: json.loads(path.read_text()) for path in sorted(folder.glob('*.json'))}


@pytest.fixture
def files(video_folder: Path, tmp_path: Path) -> Path:
    """Write annotations of two training videos without image sizes, like the official files."""
    for path, document in contents(video_folder / 'annotations' / 'train').items():
        for image in document['images']:
            del image['width'], image['height'], image['nframes']
        (tmp_path / path.name).write_text(json.dumps(document))
    return tmp_path


def test_what_is_missing_comes_from_the_video(files: Path, video_folder: Path, tmp_path: Path) -> None:
    out = tmp_path / 'out' / 'merged.json'
    out.parent.mkdir()
    counts = merge_posetrack(files, video_folder, out)
    expected = json.loads((video_folder / 'annotations' / 'posetrack18_train.json').read_text())
    assert json.loads(out.read_text()) == expected
    assert counts == {'videos': 2, 'images': 8, 'annotations': len(expected['annotations'])}


@pytest.mark.parametrize('write', [str, float])
def test_ids_of_images_become_those_of_the_images(files: Path, video_folder: Path, tmp_path: Path, write) -> None:
    for path, document in contents(files).items():
        for annotation in document['annotations']:
            annotation['image_id'] = write(annotation['image_id'])
        path.write_text(json.dumps(document))
    out = tmp_path / 'out' / 'merged.json'
    merge_posetrack(files, video_folder, out)
    assert json.loads(out.read_text()) == json.loads(
        (video_folder / 'annotations' / 'posetrack18_train.json').read_text()
    )


def test_files_that_are_no_annotations_are_passed_over(tmp_path: Path) -> None:
    size = {'width': 4, 'height': 3}
    document = {'images': [{'id': 1, 'file_name': 'a.jpg', **size}], 'annotations': [], 'categories': []}
    (tmp_path / 'a.json').write_text(json.dumps(document))
    for name in ('._a.json', '.DS_Store', 'notes.txt'):
        (tmp_path / name).write_bytes(b'\x00\x05\x16\x07')
    counts = merge_posetrack(tmp_path, tmp_path, tmp_path / 'out' / 'merged.json')
    assert counts == {'videos': 1, 'images': 1, 'annotations': 0}
    (tmp_path / 'a.json').unlink()
    with pytest.raises(FileNotFoundError, match=r'no \.json files in it'):
        merge_posetrack(tmp_path, tmp_path, tmp_path / 'out' / 'merged.json')


@pytest.mark.parametrize(
    ('change', 'error', 'said'),
    [
        (lambda document: document['categories'][0].update(name='cat'), ValueError, r'second\.json.*another version'),
        (lambda document: None, ValueError, r'id \d+ of images is missing'),
        (lambda document: document['images'][0].pop('file_name'), ValueError, 'an image has no file_name'),
        (lambda document: document.pop('annotations'), ValueError, 'expected lists images, annotations, categories'),
        (
            lambda document: document['annotations'][0].update(image_id=5),
            ValueError,
            r'annotations\[0\]: image_id 5 is none',
        ),
        (
            lambda document: document['annotations'][0].pop('image_id'),
            ValueError,
            r'annotations\[0\]: image_id None is none',
        ),
        (lambda document: document['images'][0].pop('id'), ValueError, 'an image has no id'),
        (lambda document: document.update(annolist=[]), ValueError, 'posediff convert posetrack17'),
        (lambda document: document.update(images=[]), ValueError, 'no images'),
        (lambda document: document['images'][0].update(file_name='no.jpg'), FileNotFoundError, r'no\.jpg'),
    ],
)
def test_a_broken_file_is_named_and_nothing_is_written(files, video_folder, tmp_path, change, error, said) -> None:
    document = next(iter(contents(files).values()))
    change(document)
    (files / 'second.json').write_text(json.dumps(document))
    with pytest.raises(error, match=said):
        merge_posetrack(files, video_folder, tmp_path / 'out' / 'merged.json')
    assert not (tmp_path / 'out').exists() or not list((tmp_path / 'out').iterdir())


def test_the_tool_says_what_it_wrote(files, video_folder, tmp_path, cli, capsys) -> None:
    module = cli('convert.merge_posetrack')
    (tmp_path / 'out').mkdir()
    module.main([str(files), str(video_folder), str(tmp_path / 'out' / 'merged.json')])
    assert '2 videos, 8 images' in capsys.readouterr().out
    with pytest.raises(SystemExit) as stop:
        module.main([str(tmp_path / 'nowhere'), str(video_folder), str(tmp_path / 'out' / 'merged.json')])
    assert stop.value.code == 2
