"""The commands benchmark pipeline-pck and benchmark conversion, with random networks on noise."""

import json

import cv2
import numpy as np
import pytest

pytest.importorskip('av')
pytest.importorskip('mmpose')

from posediff.evaluation.pck_counts import read_counts  # noqa: E402

JOINTS = [
    'neck', 'belly', 'head', 'right_shoulder', 'left_shoulder', 'right_hip', 'left_hip', 'right_elbow', 'left_elbow',
    'right_knee', 'left_knee', 'right_wrist', 'left_wrist', 'right_ankle', 'left_ankle',
]  # fmt: skip
FRAMES, SIDE = 4, 96


@pytest.fixture(scope='module')
def root(tmp_path_factory):
    """Three clips of JHMDB's form, one person in each frame."""
    folder, rng = tmp_path_factory.mktemp('jhmdb'), np.random.default_rng(0)
    images, annotations = [], []
    for clip in range(3):
        place = folder / 'Rename_Images' / 'wave' / f'Film{clip}_wave_f_cm_np1_fr_med_0'
        place.mkdir(parents=True)
        for frame in range(1, FRAMES + 1):
            cv2.imwrite(str(place / f'{frame:05d}.png'), rng.integers(0, 255, (SIDE, SIDE, 3), np.uint8))
            number = 10 * clip + frame
            images.append(
                {'id': number, 'frame_id': number, 'file_name': str(place.relative_to(folder) / f'{frame:05d}.png'),
                 'width': SIDE, 'height': SIDE, 'nframes': FRAMES, 'is_labeled': True}
            )  # fmt: skip
            points = rng.uniform(5, SIDE - 5, (15, 2))
            box = [*points.min(0), *np.ptp(points, axis=0)]
            keypoints = np.concatenate([points, np.full((15, 1), 2)], axis=1).ravel().tolist()
            annotations.append(
                {'id': number, 'image_id': number, 'category_id': 1, 'track_id': 0, 'iscrowd': 0, 'bbox': box,
                 'keypoints': keypoints, 'num_keypoints': 15}
            )  # fmt: skip
    (folder / 'annotations').mkdir()
    categories = [{'id': 1, 'name': 'person', 'keypoints': JOINTS}]
    document = {'images': images, 'annotations': annotations, 'categories': categories}
    (folder / 'annotations' / 'split1_test.json').write_text(json.dumps(document))
    return folder


def arguments(root, out, *more):
    return [
        str(root / 'annotations' / 'split1_test.json'), '--detector', 'whole-frame', '--pose', 'movenet-lightning',
        '--pose-checkpoint', 'random', '--min-pose-score', '0', '--min-iou', '0', '--out', str(out), *more,
    ]  # fmt: skip


def test_every_annotated_frame_counts(cli, root, tmp_path, capsys):
    main, first = cli('benchmark.pipeline_pck').main, tmp_path / 'a.json'
    main(arguments(root, first))
    assert '12 of 12 annotated people found in 3 clips' in capsys.readouterr().out
    counts = read_counts(first)
    assert len(counts.clips) == 3
    assert counts.joints[0] == 'nose'
    assert (counts.totals[0] == FRAMES).all()
    assert (counts.jitter[:, 1] == 13 * (FRAMES - 2)).all()
    document = json.loads(first.read_text())
    assert document['metrics']['people found'] == 100
    assert document['arguments']['pose'] == 'movenet-lightning'

    main(arguments(root, tmp_path / 'b.json', '--against', str(first), '--min-iou', '1'))
    out = capsys.readouterr().out
    assert '0 of 12 annotated people found' in out
    assert f'| {first} | {tmp_path / "b.json"} |' in ' '.join(out.split())
    assert (read_counts(tmp_path / 'b.json').hits == 0).all()


def test_given_boxes(cli, root, tmp_path, capsys):
    """Every annotated person has the pose of the crop of its box, however little the pose overlaps with it."""
    main, out = cli('benchmark.pipeline_pck').main, tmp_path / 'given.json'
    given = [str(root / 'annotations' / 'split1_test.json'), '--given-boxes', '--out', str(out)]
    main([*given, '--pose', 'movenet-lightning', '--pose-checkpoint', 'random'])
    assert '12 of 12 annotated people found in 3 clips' in capsys.readouterr().out
    counts = read_counts(out)
    assert (counts.totals[0] == FRAMES).all()
    assert counts.hits.max() > 0  # the boxes are on the people: some of the random poses' joints are near
    with pytest.raises(SystemExit):
        main([*given, '--min-iou', '0.5', '--keep-sides'])
    assert '--keep-sides, --min-iou would have no effect' in capsys.readouterr().err


def test_evenly_spaced_clips(cli, root, tmp_path, capsys, exit_code):
    main, two = cli('benchmark.pipeline_pck').main, tmp_path / 'two.json'
    main(arguments(root, two, '--clips', '2'))
    assert [clip.rpartition('/')[2][:5] for clip in read_counts(two).clips] == ['Film0', 'Film2']
    capsys.readouterr()
    assert exit_code(main, arguments(root, tmp_path / 'c.json', '--images', str(tmp_path))) == 2
    assert f'folder {tmp_path}/Rename_Images/wave/Film0' in capsys.readouterr().err
