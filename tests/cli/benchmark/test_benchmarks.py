"""The commands benchmark occlusion, hypotheses and model on tiny random models and a tiny dataset."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

import posediff
from posediff.datasets.camera_sampling import draw_camera, get_camera_preset
from posediff.datasets.mocap_files import MocapClip, save_subject
from posediff.engine.evaluation import build_test_dataset, build_test_metric, evaluate_model, set_sampling
from posediff.registry import DATASETS

DATA = """
default_scope = 'posediff'
test_dataloader = dict(dataset=dict(
    type='CMUMocapDataset', data_root={root!r}, subjects=['01'], window_size=5, test_mode=True, num_cameras=1,
    pipeline=[dict(type='PackLiftingInputs')]))
test_evaluator = dict(type='LiftingMetric')
"""

DIFFUSION = """
model = dict(
    type='PoseDiffusionEstimator',
    data_preprocessor=dict(type='LiftingPreprocessor'),
    conditioner=dict(type='Keypoints2DConditioner'),
    denoiser=dict(type='CTGCNDenoiser', num_frames=5, channels=8, num_layers=1, condition_channels=2, step_channels=8,
                  num_train_timesteps=4),
    noise_scheduler=dict(type='CosineNoiseScheduler', num_train_timesteps=4),
    sampler=dict(type='DDPMSampler'),
    head=dict(type='LiftingHead', skeleton='cmu17'),
    test_cfg=dict(num_hypotheses=2),
)
"""

CONTROL = """
model = dict(
    type='PoseDiffusionEstimator',
    data_preprocessor=dict(type='LiftingPreprocessor'),
    conditioner=dict(type='LifterConditioner',
                     lifter=dict(type='MixSTE', num_frames=5, channels=8, depth=1, num_heads=2)),
    head=dict(type='LiftingHead', in_channels=8, skeleton='cmu17'),
)
"""
CONTROL_HEAD = "head=dict(type='LiftingHead', in_channels=8, skeleton='cmu17')"


@pytest.fixture(scope='module')
def data_root(tmp_path_factory):
    folder = tmp_path_factory.mktemp('data')
    rng = np.random.default_rng(0)
    clips = []
    for index, action in enumerate(('walk', 'run')):
        joints = rng.normal(0, 0.2, (12, 17, 3)) + [0, 0, 1]
        camera = draw_camera(1000 * joints, 0.0, get_camera_preset('wild'), rng)
        clips.append(MocapClip(f'01_0{index}', '01', action, action, joints.astype(np.float32), [camera]))
    save_subject(folder / '01.npz', clips, fps=50.0, seed=0, preset='wild')
    return folder


@pytest.fixture(scope='module')
def files(data_root, tmp_path_factory):
    """Write config and checkpoint of a model with diffusion and of one without."""
    folder = tmp_path_factory.mktemp('models')
    written = {}
    for name, text in (('diffusion', DIFFUSION), ('control', CONTROL)):
        config, checkpoint = folder / f'{name}.py', folder / f'{name}.pth'
        config.write_text(DATA.format(root=f'{data_root}/') + text)
        torch.manual_seed(0)
        model = posediff.init_model(config)
        for parameter in model.parameters():  # layers initialised to zero would have no effect
            torch.nn.init.normal_(parameter, std=0.1)
        torch.save({'state_dict': model.state_dict()}, checkpoint)
        written[name] = (str(config), str(checkpoint))
    return written


@pytest.fixture
def tool(cli):
    return lambda name: cli(f'benchmark.{name}')


def test_measures_do_not_depend_on_the_batch(files):
    model = posediff.init_model(*files['diffusion'])
    set_sampling(model, 3, 2)
    dataset, metric = build_test_dataset(model.cfg, 'random'), build_test_metric(model.cfg)
    assert len(dataset) == 6
    small, large = (evaluate_model(model, dataset, metric, size) for size in (1, 4))
    for found in (small, large):
        assert found.pop('seconds_per_clip') > 0
    assert small == pytest.approx(large, rel=1e-4)
    assert {'mpjpe', 'action/walk/mpjpe', 'j_agg', 'p_best_oracle'} <= set(small)


def test_occlusion_replaces_the_one_of_the_config(files):
    model = posediff.init_model(*files['control'])
    hidden = build_test_dataset(model.cfg, 'structured_frame')
    masks = [hidden[index]['inputs']['keypoint_mask'] for index in range(len(hidden))]
    assert all((mask == 0).all(-1).any() for mask in masks)
    model.cfg.test_dataloader.dataset.pipeline.insert(0, {'type': 'KeypointOcclusion', 'pattern': 'structured_frame'})
    shown = build_test_dataset(model.cfg, 'none')
    assert not any((shown[index]['inputs']['keypoint_mask'] == 0).all(-1).any() for index in range(len(shown)))


def test_occlusion_matrix(files, tool, tmp_path, capsys):
    models = {name: ':'.join(pair) for name, pair in files.items()}
    tool('occlusion').main(
        [
            *('--method', 'MixSTE', f'none={models["control"]}', f'random={models["control"]}'),
            *('--method', 'DiffHPE-2D', f'none={models["diffusion"]}'),
            *('--test-patterns', 'none', 'random', '--num-inference-steps', '2', '--out', str(tmp_path)),
        ]
    )
    assert sorted(file.name for file in tmp_path.iterdir()) == [
        f'occlusion_matrix.{kind}' for kind in ('json', 'md', 'png')
    ]
    results = json.loads((tmp_path / 'occlusion_matrix.json').read_text())['results']
    assert results['MixSTE']['none']['none']['mpjpe'] == results['MixSTE']['random']['none']['mpjpe']  # one model
    assert results['MixSTE']['none']['none']['mpjpe'] != results['MixSTE']['none']['random']['mpjpe']
    table = capsys.readouterr().out
    assert f'{results["DiffHPE-2D"]["none"]["random"]["symmetry_gap"]:.1f}' in table
    assert '### segment std, mm' in table


def test_occlusion_matrix_refuses_what_it_cannot_read(files, tool, exit_code, capsys):
    main = tool('occlusion').main
    for model, message in (
        ('none=a.py', 'not PATTERN=CONFIG:CHECKPOINT'),
        ('none=a.py:b.pth', '--method MixSTE none: config a.py does not exist'),
        ('none=mixste-c64_27f_cmu:b.pth', '--method MixSTE none: checkpoint b.pth does not exist'),
        ('none=mixste-c65_27f_cmu:b.pth', 'did you mean mixste-c64_27f_cmu'),
    ):
        assert exit_code(main, ['--method', 'MixSTE', model]) == 2
        assert message in capsys.readouterr().err


def test_hypotheses_sweep(files, tool, exit_code, tmp_path, capsys):
    arguments = ['--steps', '1', '4', '--hypotheses', '1', '3', '--out', str(tmp_path)]
    main = tool('hypotheses').main
    main([*files['diffusion'], '--control', *files['control'], *arguments])
    document = json.loads((tmp_path / 'hypotheses_sweep.json').read_text())
    assert document['arguments']['checkpoint'] == files['diffusion'][1]
    assert document['versions']['torch'] == torch.__version__
    rows = document['rows']
    assert [(row['steps'], row['hypotheses']) for row in rows] == [(None, 1), (1, 1), (1, 3), (4, 1), (4, 3)]
    assert rows[0]['model'] == 'no diffusion'
    assert len({row['mpjpe'] for row in rows}) == 5
    assert all(row['ms_per_clip'] > 0 for row in rows)
    assert ['p_best_oracle' in row for row in rows] == [False, False, True, False, True]
    assert 'j_best_oracle, mm' in capsys.readouterr().out
    assert exit_code(main, [*files['control'], '--out', str(tmp_path)]) == 2
    assert 'no denoiser' in capsys.readouterr().err


def test_whole_clips_compare_error_and_spread(files, data_root, tool, tmp_path, capsys):
    lifters = [word for name in ('control', 'diffusion') for word in ('--lifter', *files[name])]
    options = ['--subjects', '01', '--frames', '8', '--hide', 'legs', '--out', str(tmp_path / 'clips.json')]
    tool('clips').main([str(data_root), *lifters, *options])
    control, diffusion = json.loads((tmp_path / 'clips.json').read_text())['rows']
    assert (control['M'], diffusion['M'], diffusion['frames']) == (1, 2, 16)
    assert control['error/spread, seen'] is control['error/spread, hidden'] is None
    sums = np.array([clip['squared']['hidden'] for clip in diffusion['of clips']])
    assert sums[:, 2].tolist() == [8 * 4] * 2  # knees and feet
    assert diffusion['error/spread, hidden'] == pytest.approx(np.sqrt(sums[:, 0].sum() / (1.5 * sums[:, 1].sum())))
    assert diffusion['error/spread, hidden'] != diffusion['error/spread, seen']
    header, _, *rows = capsys.readouterr().out.splitlines()
    place = [cell.strip() for cell in header.split('|')].index('error/spread, hidden')
    assert [row.split('|')[place].strip() for row in rows] == ['–', f'{diffusion["error/spread, hidden"]:.2f}']


def test_estimates_of_the_same_hypotheses(files, data_root, tool, tmp_path, capsys):
    options = ['--subjects', '01', '--frames', '8', '--hide', 'legs', '--num-hypotheses', '5']
    options += ['--num-inference-steps', '2', '--lifter', *files['diffusion']]
    tool('estimates').main([str(data_root), *options, '--out', str(tmp_path / 'estimates.json')])
    rows = {row['estimate']: row for row in json.loads((tmp_path / 'estimates.json').read_text())['rows']}
    assert list(rows) == [
        'mean', 'geometric median', 'coordinate median', 'density', 'RPEA, estimated root', 'noise-free draw, DDIM',
        'first hypothesis', 'best of M (oracle)',
    ]  # fmt: skip
    assert [row['M'] for row in rows.values()] == [5] * 5 + [1, 1, 5]
    assert all((row['clips'], row['frames'], row['steps']) == (2, 16, 2) for row in rows.values())
    assert len({row['MPJPE'] for row in rows.values()}) == len({row['P-MPJPE'] for row in rows.values()}) == 8
    for measure in ('MPJPE', 'P-MPJPE'):
        assert rows['best of M (oracle)'][measure] < rows['first hypothesis'][measure]
    *_, last = capsys.readouterr().out.splitlines()
    assert [cell.strip() for cell in last.split('|')[1:3]] == ['best of M (oracle)', '5']
    # the mean and its clips are those of benchmark clips
    tool('clips').main([str(data_root), *options, '--out', str(tmp_path / 'clips.json')])
    (clips,) = json.loads((tmp_path / 'clips.json').read_text())['rows']
    for measure in ('MPJPE', 'P-MPJPE'):
        assert rows['mean'][measure] == pytest.approx(clips[measure], rel=1e-5)


def test_estimates_do_not_depend_on_the_block_of_frames(files, data_root, tool, tmp_path, monkeypatch):
    command, found = tool('estimates'), []
    for pairs in (command.PAIRS_AT_A_TIME, 3 * 17 * 2**2):
        monkeypatch.setattr(command, 'PAIRS_AT_A_TIME', pairs)
        out = tmp_path / f'{pairs}.json'
        command.main([str(data_root), '--subjects', '01', '--lifter', *files['diffusion'], '--out', str(out)])
        found.append({row['estimate']: row['MPJPE'] for row in json.loads(out.read_text())['rows']})
    assert found[0] == pytest.approx(found[1], rel=1e-9)


def test_estimates_need_hypotheses(files, data_root, tool, exit_code, capsys):
    assert exit_code(tool('estimates').main, [str(data_root), '--lifter', *files['control']]) == 2
    assert 'has no denoiser' in capsys.readouterr().err


@pytest.mark.parametrize(('name', 'calls'), [('diffusion', 3), ('control', 0)])
def test_benchmark_prints_json(files, tool, capsys, name, calls):
    options = ['--num-inference-steps', '3', '--num-hypotheses', '2'] if calls else []
    config, checkpoint = files[name]
    tool('model').main([config, '--checkpoint', checkpoint, '--batch-size', '2', *options])
    found = json.loads(capsys.readouterr().out)
    assert found['denoiser_calls'] == calls
    assert (found['ms_per_denoiser_call'] is None) == (calls == 0)
    for measure in ('clips_per_s', 'condition_ms', 'sampling_ms', 'peak_memory_mb'):
        assert found[measure] > 0
    setup = found['setup']
    assert (setup['batch_size'], setup['num_frames'], setup['num_joints']) == (2, 5, 17)
    assert setup['num_inference_steps'] == (calls or None)
    assert setup['num_hypotheses'] == (2 if calls else 1)
    assert (found['backbone_ms'], found['backbone_gmac']) == (0, 0)
    assert found['condition_gmac'] + found['sampling_gmac'] > 0


def test_benchmark_counts_the_work_for_mirrored_inputs(files, tool, capsys):
    config, checkpoint = files['diffusion']
    found = {}
    for option in ('flip_test', 'flip_hypotheses', 'flip_steps', None):
        arguments = [config, '--checkpoint', checkpoint, '--batch-size', '2', '--repeats', '1']
        arguments += ['--num-inference-steps', '3', '--num-hypotheses', '2']
        tool('model').main([*arguments, *(['--cfg-options', f'model.test_cfg.{option}=True'] if option else [])])
        found[option] = json.loads(capsys.readouterr().out)
    plain = found.pop(None)
    for option, mirrored in found.items():
        assert mirrored['denoiser_calls'] == 2 * plain['denoiser_calls']
        factor = 1 if option == 'flip_hypotheses' else 2  # it draws half of the hypotheses for each view
        assert mirrored['sampling_gmac'] == pytest.approx(factor * plain['sampling_gmac'], rel=0.1)


VIDEO_MODEL = """
_base_ = '{repository}/configs/video_2d_heatmap/diffpose/diffpose_vit-t_synthetic-128x96.py'
input_size = (32, 32)
num_frames = 3
model = dict(
    backbone=dict(stem='patch', checkpoint=None,
                  model_kwargs=dict(embed_dim=12, depth=1, num_heads=2, patch_size=16)),
    conditioner=dict(in_channels=12, channels=8, num_heads=2, depth=1),
    denoiser=dict(condition_channels=8, channels=(8, 4), num_heads=2),
    test_cfg=dict(num_hypotheses=2, num_inference_steps=3),
)
"""


def test_benchmark_times_models_of_images(tool, repository, tmp_path, capsys):
    pytest.importorskip('mmpose')
    (tmp_path / 'video.py').write_text(VIDEO_MODEL.format(repository=repository))
    counts = []
    for hypotheses in ('1', '3'):
        arguments = [str(tmp_path / 'video.py'), '--batch-size', '2', '--repeats', '1', '--num-hypotheses', hypotheses]
        arguments += ['--cfg-options', 'model.test_cfg.seed=3']
        tool('model').main(arguments)
        found = json.loads(capsys.readouterr().out)
        assert (found['setup']['num_frames'], found['setup']['num_joints']) == (3, 15)
        assert found['denoiser_calls'] == 3
        assert found['setup']['cfg_options'] == {'model.test_cfg.seed': 3}
        assert min(found['backbone_ms'], found['condition_ms'], found['ms_per_denoiser_call']) > 0
        counts.append(found)
    # three frames of 4 patches, of 768 numbers, and a class token: embedding, products of 12 channels, attention
    tokens = 3 * 5
    expected = 3 * 4 * 768 * 12 + 12 * tokens * 12 * 12 + 2 * tokens * 5 * 12
    assert counts[0]['backbone_gmac'] == pytest.approx(expected / 1e9, rel=0.01)
    assert counts[0]['condition_gmac'] == counts[1]['condition_gmac'] > 1e-5
    assert counts[1]['sampling_gmac'] > 2 * counts[0]['sampling_gmac']


@pytest.mark.parametrize(
    ('options', 'said'),
    [
        (['--num-hypotheses', '4'], 'num_hypotheses=4'),  # for a model without diffusion
        (['--device', 'gpuu'], 'gpuu'),
        (['--batch-size', '0'], "'0' is not a positive number"),
    ],
)
def test_benchmark_refuses_what_it_cannot_time(files, tool, exit_code, capsys, options, said):
    assert exit_code(tool('model').main, [files['control'][0], *options]) == 2
    assert said in capsys.readouterr().err


def test_joints_that_are_lifted_against_joints_that_were_trained_on(cli, mocap_folder, tmp_path, capsys):
    """Every conversion has a row, and other joints give other errors; weights are random."""
    lifters = []
    for skeleton in ('mediapipe17', 'cmu17'):
        config, weights = tmp_path / f'{skeleton}.py', tmp_path / f'{skeleton}.pth'
        head = f"head=dict(type='LiftingHead', in_channels=8, skeleton={skeleton!r})"
        config.write_text("default_scope = 'posediff'\n" + CONTROL.replace(CONTROL_HEAD, head))
        torch.manual_seed(0)
        torch.save({'state_dict': posediff.init_model(config).state_dict()}, weights)
        lifters += ['--lifter', str(config), str(weights)]
    out = tmp_path / 'found.json'
    tool = cli('benchmark.joints')
    tool.main([str(mocap_folder), *lifters, '--clips', '3', '--frames', '9', '--out', str(out)])
    rows = json.loads(out.read_text())['rows']
    assert [(row['trained on'], row['joints']) for row in rows] == [
        ('mediapipe17', 'its own'), ('cmu17', 'by rules'), ('cmu17', 'by name'),
    ]  # fmt: skip
    assert all(row['frames'] == 27 and row['p_mpjpe'] > 0 for row in rows)
    # same weights and keypoints: only the conversion differs
    assert rows[0]['p_mpjpe'] == rows[2]['p_mpjpe'] != rows[1]['p_mpjpe']
    assert 'by rules' in capsys.readouterr().out


def test_whole_clips(files, data_root, tool, tmp_path, capsys):
    out = tmp_path / 'clips.json'
    lifters = [argument for name in files for argument in ('--lifter', *files[name])]
    tool('clips').main([str(data_root), *lifters, '--subjects', '01', '--num-inference-steps', '2', '--out', str(out)])
    assert '| diffusion |' in capsys.readouterr().out
    diffusion, control = json.loads(out.read_text())['rows']
    assert (diffusion['M'], diffusion['steps'], diffusion['clips'], diffusion['frames']) == (2, 2, 2, 24)
    assert control['steps'] == '–'
    model = posediff.init_model(*files['control'])
    errors = []
    dataset = {**model.cfg.test_dataloader.dataset, 'noise': {'severity': 1.5}, 'window_size': 12}
    for item in DATASETS.build(dataset):
        sample, shown = item['data_samples'], item['inputs']
        lifted = posediff.lift_keypoints(
            model, shown['keypoints_2d'].numpy(), shown['keypoint_scores'].numpy() * shown['keypoint_mask'].numpy(),
            skeleton='cmu17', img_shape=sample.img_shape, fps=50.0,
        )  # fmt: skip
        target = sample.gt_instances.lifting_target.numpy()
        moved = lifted['joints_3d'] - lifted['joints_3d'][:, :1]
        errors.append(np.linalg.norm(moved - target, axis=-1).mean())
    assert control['MPJPE'] == pytest.approx(np.mean(errors), rel=1e-4)
    assert 0 < control['P-MPJPE'] < control['MPJPE']

    tool('clips').main([str(data_root), *lifters, '--subjects', '01', '--hide', 'legs', 'feet', '--out', str(out)])
    hidden = json.loads(out.read_text())['rows'][1]
    assert hidden['MPJPE'] != control['MPJPE']
    assert hidden['frames'] == 24


def test_lifters_of_two_skeletons_are_not_compared_on_clips(files, data_root, tool, tmp_path, exit_code, capsys):
    config, checkpoint = files['control']
    other = tmp_path / 'other.py'
    other.write_text(Path(config).read_text().replace('cmu17', 'mediapipe17'))
    arguments = [str(data_root), '--lifter', config, checkpoint, '--lifter', str(other), checkpoint]
    assert exit_code(tool('clips').main, arguments) != 0
    assert 'skeletons cmu17, mediapipe17: compare them with posediff benchmark joints' in capsys.readouterr().err
