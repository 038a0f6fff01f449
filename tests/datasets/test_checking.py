"""posediff check-dataset: problems of datasets are reported before training."""

import numpy as np
import pytest
from mmengine.config import Config

from posediff.cli.main import main
from posediff.datasets.checking import as_text, check_dataset


def lifting_config(folder, **changes):
    part = {'type': 'CMUMocapDataset', 'data_root': str(folder), 'window_size': 9} | changes
    loaders = {'train': part | {'split': 'train'}, 'val': part | {'split': 'val', 'test_mode': True}}
    document = {f'{name}_dataloader': {'dataset': dataset} for name, dataset in loaders.items()}
    return Config(
        document | {'test_dataloader': document['val_dataloader'], 'val_evaluator': {'type': 'LiftingMetric'}}
    )


def test_sound_data_is_fine(mocap_folder):
    findings = check_dataset(lifting_config(mocap_folder), items=5)
    assert [(finding.part, finding.problems) for finding in findings] == [('train', ()), ('val', ()), ('test', ())]
    assert findings[0].summary == '105 items, 5 of them read'
    assert 'train: 105 items, 5 of them read; fine' in as_text(findings)


def test_what_cannot_be_opened_and_what_cannot_be_read_are_reported(mocap_folder):
    def broken(results):
        raise ValueError(f'sample {results["sample_id"].split("/")[1]} is broken')

    missing, found = (
        check_dataset(config, items=None)
        for config in (lifting_config('nowhere'), lifting_config(mocap_folder, pipeline=[broken]))
    )
    assert missing[0].summary is None
    assert 'nowhere' in missing[0].problems[0]
    assert found[0].problems == ('sample 01 is broken', 'sample 90 is broken')  # each is reported once
    assert '  … and 1 more' in as_text(found, most=1)


def test_the_command_tells_and_ends_with_1(tmp_path, mocap_folder, capsys):
    config = tmp_path / 'config.py'
    config.write_text(lifting_config(mocap_folder).pretty_text)
    assert main(['check-dataset', str(config), '--items', '3']) == 0
    assert 'val: 80 items' in capsys.readouterr().out
    assert main(['check-dataset', str(config), '--cfg-options', 'train_dataloader.dataset.data_root=nowhere']) == 1
    assert 'train: cannot be opened; 1 problems' in capsys.readouterr().out
    assert main(['check-dataset', str(config), '--all']) == 0
    assert '105 items, 105 of them read' in capsys.readouterr().out
    with pytest.raises(SystemExit, match='2'):
        main(['check-dataset', str(config), '--items', '-3'])
    assert "'-3' is not a positive number" in capsys.readouterr().err
    with pytest.raises(SystemExit, match='2'):
        main(['check-dataset', str(tmp_path / 'none.py')])
    assert 'none.py does not exist' in capsys.readouterr().err


def test_frames_that_cannot_be_read_are_named(tmp_path):
    pytest.importorskip('mmpose')
    cv2 = pytest.importorskip('cv2')
    import json

    folder = tmp_path / 'images' / '000001_bonn'
    folder.mkdir(parents=True)
    images, annotations = [], []
    for number in range(3):
        file = f'images/000001_bonn/{number:06d}.jpg'
        cv2.imwrite(str(tmp_path / file), np.full((20, 30, 3), 90, np.uint8))
        images.append({'id': number, 'file_name': file, 'width': 30, 'height': 20, 'nframes': 3, 'frame_id': number})
        annotations.append({'id': number, 'image_id': number, 'category_id': 1, 'bbox': [2, 2, 9, 9],
                            'keypoints': [5, 5, 1] * 17, 'num_keypoints': 17})  # fmt: skip
    file = tmp_path / 'train.json'
    document = {'images': images, 'annotations': annotations, 'categories': [{'id': 1, 'name': 'person'}]}
    file.write_text(json.dumps(document))
    source = {'ann_file': 'train.json', 'data_root': str(tmp_path)}
    dataset = {'type': 'PoseTrackClipDataset', 'source': source, 'num_frames': 1, 'pipeline': [{'type': 'LoadClip'}]}
    config = Config({'train_dataloader': {'dataset': dataset}})
    assert check_dataset(config)[0].problems == ()
    (folder / '000001.jpg').write_bytes(b'no image')
    (problem,) = check_dataset(config)[0].problems
    assert '000001.jpg is not a readable image' in problem
    config.train_dataloader.dataset.frame_base = 1
    (problem,) = check_dataset(config)[0].problems
    assert 'numbered from 1' in problem
    document['categories'] = [{'id': 1, 'name': 'person', 'keypoints': ['nose', 'neck']}]
    file.write_text(json.dumps(document))
    assert 'another version of the annotations?' in check_dataset(config)[0].problems[0]
    file.write_text(json.dumps({'annolist': []}))
    assert 'in the form of PoseTrack2017' in check_dataset(config)[0].problems[0]
