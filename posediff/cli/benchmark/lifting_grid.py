"""Trainings and tests of ``posediff benchmark lifting``: models, sizes, files, one training, one test."""

from __future__ import annotations

import argparse
import json
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from posediff.cli import train as train_command
from posediff.datasets.pose_windows import PoseWindowDataset
from posediff.engine.evaluation import build_test_dataset, build_test_metric, evaluate_model, set_sampling
from posediff.engine.launch import prepare, train
from posediff.engine.model_building import init_model
from posediff.fileio.atomic_files import atomic_write
from posediff.fileio.checkpoint import safe_loading

PATTERNS = ('none', 'random', 'random_left_arm_right_leg', 'structured_joint', 'structured_frame')
MODELS = {
    'mixste': 'MixSTE',
    'diffhpe-2d': 'DiffHPE-2D',
    'diffhpe-wrapper': 'DiffHPE-Wrapper',
    'diffhpe-wrapper-vanilla': 'DiffHPE-Wrapper, lifter trained without occlusion',
}
CONFIGS = {'mixste': 'mixste-c64_27f_cmu'} | {name: f'{name}_27f_cmu' for name in MODELS if name != 'mixste'}
MEASURES = ('mpjpe', 'p_mpjpe', 'symmetry_gap', 'segment_std')

# Sizes that a CPU core trains in about a minute; everything else is that of the configs.
CHANNELS = 32
LIFTER = {'channels': CHANNELS, 'depth': 3, 'num_heads': 4}
DENOISER = {'channels': 32, 'num_layers': 8, 'step_channels': 64, 'dropout': 0.0}
# AdamW has an MPJPE of 119 (MixSTE) and 161 mm (a smaller DiffHPE-2D) after as many steps, MuonAdamW 80 and 134.
OPTIMIZER = {'_delete_': True, 'type': 'MuonAdamW', 'weight_decay': 0.02}
RATE, DENOISER_RATE = 2e-3, 1.2e-2


@dataclass(frozen=True)
class Cell:
    """One training: a model, the occlusion pattern it is trained with, and a seed."""

    model: str
    pattern: str
    seed: int

    @property
    def name(self) -> str:
        return f'{self.model}_{self.pattern}_seed{self.seed}'

    @property
    def lifter(self) -> Cell | None:
        """The training whose lifter is inside the model; None for models without a frozen lifter."""
        if self.model == 'diffhpe-wrapper':
            return Cell('mixste', self.pattern, self.seed)
        if self.model == 'diffhpe-wrapper-vanilla':
            return Cell('mixste', 'none', self.seed)
        return None

    @property
    def config(self) -> str:
        """Name of the packaged config."""
        pattern = '' if self.pattern == 'none' else '_' + self.pattern.replace('_', '-')
        return CONFIGS[self.model] + pattern


def grid(models: Sequence[str], patterns: Sequence[str], seeds: Sequence[int]) -> Iterator[list[Cell]]:
    """Yield the trainings in groups of one seed and one pattern, seed by seed; a group is the unit of ``--shard``.

    ``diffhpe-wrapper-vanilla`` without occlusion would be ``diffhpe-wrapper``, so it is left out.
    """
    for seed in seeds:
        for pattern in patterns:
            vanilla = 'diffhpe-wrapper-vanilla'
            yield [
                Cell(name, pattern, seed) for name in MODELS if name in models and (name, pattern) != (vanilla, 'none')
            ]


class Store:
    """Checkpoints, results and settings of the benchmark in one folder.

    Args:
        folder: The folder; it need not exist.
        args: Arguments of the command.
    """

    def __init__(self, folder: Path, args: argparse.Namespace) -> None:
        self.folder, self.args = folder, args
        self._datasets: dict[str, PoseWindowDataset] = {}

    def checkpoint(self, cell: Cell) -> Path:
        return self.folder / 'checkpoints' / f'{cell.name}.pth'

    def results_file(self, cell: Cell) -> Path:
        return self.folder / 'results' / f'{cell.name}.json'

    def results(self, cell: Cell) -> dict[str, dict[str, float]]:
        """Return the finished tests of a model: test pattern → measures in mm.

        Raises:
            ValueError: The file is damaged.
        """
        return _read(self.results_file(cell)) if self.results_file(cell).exists() else {}

    def check_settings(self) -> None:
        """Store the settings in the folder, or compare them with those of the trainings and tests it has.

        Raises:
            ValueError: A setting differs: the results would not be comparable.
        """
        names = (
            'frames',
            'fps',
            'epochs',
            'windows',
            'batch_size',
            'amp',
            'max_items',
            'num_hypotheses',
            'num_inference_steps',
            'data',
        )
        settings = {name: getattr(self.args, name) for name in names}
        file = self.folder / 'settings.json'
        if not file.exists():
            with atomic_write(file) as draft:
                draft.write_text(json.dumps(settings, indent=1) + '\n')
        stored = _read(file)
        for name, value in settings.items():
            if stored.get(name) != value:
                option = name.replace('_', '-')
                raise ValueError(f'{file} has --{option} {stored.get(name)}, not {value}: choose another --work-dir')

    def overrides(self, cell: Cell) -> dict[str, Any]:
        """Return the overrides of the config: sizes, data, budget and seed."""
        args = self.args
        overrides: dict[str, Any] = {
            'data_root': args.data,
            'num_frames': args.frames,
            'num_workers': 0,
            'train_dataloader.batch_size': args.batch_size,
            'train_dataloader.dataset.items_per_epoch': args.windows,
            'train_dataloader.dataset.seed': cell.seed,
            'train_cfg.max_epochs': args.epochs,
            'randomness.seed': cell.seed,
            'optim_wrapper.optimizer': {**OPTIMIZER, 'lr': RATE if cell.model == 'mixste' else DENOISER_RATE},
            'default_hooks.checkpoint.interval': args.epochs,
            'default_hooks.checkpoint.save_best': None,
            'log_level': 'WARNING',
        }
        if args.amp:
            overrides['optim_wrapper.type'] = 'BFloat16OptimWrapper'
        overrides |= {f'{part}_dataloader.dataset.fps': args.fps for part in ('train', 'val', 'test')}
        overrides |= {
            f'model.conditioner.lifter.{key}': value for key, value in LIFTER.items() if cell.model != 'diffhpe-2d'
        }
        if cell.model == 'mixste':
            return overrides | {'model.head.in_channels': CHANNELS, 'model.conditioner.lifter.drop_path_rate': 0.0}
        overrides |= {f'model.denoiser.{key}': value for key, value in DENOISER.items()}
        if cell.lifter is not None:
            overrides |= {
                'model.denoiser.condition_channels': CHANNELS,
                'model.denoiser.pose_channels': DENOISER['channels'],
                'model.conditioner.checkpoint': str(self.checkpoint(cell.lifter)),
            }
        return overrides

    def train(self, cell: Cell) -> None:
        """Train a model, and before it the lifter inside it, unless their checkpoints exist."""
        if self.checkpoint(cell).exists():
            return
        if cell.lifter is not None:
            self.train(cell.lifter)
        print(f'train {cell.name}', flush=True)
        runs = self.folder / 'runs'
        runs.mkdir(parents=True, exist_ok=True)
        run = Path(tempfile.mkdtemp(prefix=f'{cell.name}-', dir=runs))
        args = train_command.parse_args([cell.config, '--work-dir', str(run), '--no-validate'])
        args.cfg_options = self.overrides(cell)
        with safe_loading():
            cfg = prepare(args)
            train_command.apply_arguments(cfg, args)
            cfg.experiment_name = run.name
            train(cfg)
        with atomic_write(self.checkpoint(cell)) as draft:
            weights = torch.load(run / f'epoch_{self.args.epochs}.pth', map_location='cpu', weights_only=False)
            torch.save({'state_dict': weights['state_dict']}, draft)
        shutil.rmtree(run)

    def test(self, cell: Cell, patterns: Sequence[str]) -> None:
        """Test a trained model on the patterns that its results do not have yet."""
        finished = self.results(cell)
        missing = [pattern for pattern in patterns if pattern not in finished]
        if not missing:
            return
        model = init_model(cell.config, self.checkpoint(cell), cfg_options=self.overrides(cell))
        if model.denoiser is not None:
            set_sampling(model, self.args.num_hypotheses, self.args.num_inference_steps)
        metric = build_test_metric(model.cfg)
        for pattern in missing:
            print(f'test {cell.name} on {pattern}', flush=True)
            if pattern not in self._datasets:
                self._datasets[pattern] = build_test_dataset(model.cfg, pattern, self.args.max_items)
            torch.manual_seed(cell.seed)  # the noise of the hypotheses does not depend on which tests are finished
            found = evaluate_model(model, self._datasets[pattern], metric)
            finished[pattern] = {name: float(found[name]) for name in MEASURES}
            with atomic_write(self.results_file(cell)) as draft:
                draft.write_text(json.dumps(finished, indent=1) + '\n')


def _read(file: Path) -> Any:
    try:
        content = json.loads(file.read_text())
    except ValueError as error:
        raise ValueError(f'{file} is not JSON: {error}') from error
    if not isinstance(content, Mapping):
        raise ValueError(f'{file} must have an object')
    return dict(content)
