"""How sure a lifter is, collected for the lifting metric: sums per sample, which add up over samples and ranks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from posediff.evaluation.coverage import (
    PROBABILITIES,
    axis_coverage,
    calibration_error,
    calibration_error_floor,
    expected_axis_coverage,
    expected_radial_coverage,
    radial_coverage,
    truth_ranks,
)
from posediff.evaluation.energy_score import energy_score, pose_energy_score
from posediff.evaluation.joints_3d import root_aligned
from posediff.evaluation.spread_histogram import binned_sums, root_mean_squares, sparsification
from posediff.evaluation.spread_skill import error_to_spread, squared_error_of_mean, squared_spread

Sums = dict[str, np.ndarray]

INTERVALS = (0.5, 0.9)
"""Probabilities of the intervals that are reported by name."""

KINDS = ('seen', 'hidden')


def uncertainty_sums(
    hypotheses: Tensor,
    target: Tensor,
    joints: Tensor,
    frames: Tensor,
    seen: Tensor | None,
    root: int,
    curves: bool,
) -> list[Sums]:
    """Return the sums of each clip of a batch.

    Args:
        hypotheses: (B, M, T, K, 3) mm float64, M >= 2.
        target: (B, T, K, 3) mm float64.
        joints: (B, T, K) bool, which joints are annotated.
        frames: (B, T) bool, which frames count.
        seen: (B, T, K) bool, which joints the lifter's input had; None if it is not known.
        root: Joint at which poses are aligned; it does not count.
        curves: Also return what curves are drawn from.

    Returns:
        Per clip arrays by name, counts and float64 sums. Their first axis is seen and hidden (all are "seen" if it is
        not known), the second the joints.
    """
    hypotheses, target = root_aligned(hypotheses, root), root_aligned(target, root)
    counted = joints & frames.unsqueeze(-1)
    counted[..., root] = False
    target = torch.where(counted.unsqueeze(-1), target, 0.0)  # joints that are not annotated may be NaN
    seen = torch.ones_like(counted) if seen is None else seen
    kinds = torch.stack([counted & seen, counted & ~seen], dim=1)

    def over_frames(values: Tensor) -> Tensor:
        """Return sums over frames, (B, T, K, …) to (B, 2, K, …)."""
        return torch.einsum('bstk,btk...->bsk...', kinds.double(), values.double())

    spread, error = squared_spread(hypotheses), squared_error_of_mean(hypotheses, target)
    held = radial_coverage(hypotheses, target)
    axes = torch.stack([axis_coverage(hypotheses, target, share) for share in INTERVALS], dim=-1)
    of_frame = kinds.sum(-1).double()  # (B, 2, T)
    share = torch.einsum('bstk,btkg->bstg', kinds.double(), held.double()) / of_frame.clamp_min(1).unsqueeze(-1)
    sums = {
        'count': kinds.sum(2).int(),
        'spread': over_frames(spread),
        'error': over_frames(error),
        'energy': over_frames(energy_score(hypotheses, target)),
        'radial': over_frames(held).int(),  # half the memory: these are the largest
        'axes': over_frames(axes).int(),
        'frames': (of_frame > 0).sum(-1),
        'frame_radial': share.sum(2),
        'pose_energy': (pose_energy_score(hypotheses, target, counted) * counted.any(-1)).sum(-1),
        'poses': counted.any(-1).sum(-1),
    }
    if curves:
        sums |= _curve_sums(kinds, spread.sqrt(), error.sqrt(), truth_ranks(hypotheses, target), hypotheses.shape[1])
    arrays = {name: value.cpu().numpy() for name, value in sums.items()}
    return [{name: value[clip] for name, value in arrays.items()} for clip in range(len(target))]


def _curve_sums(kinds: Tensor, spread: Tensor, error: Tensor, ranks: Tensor, num_hypotheses: int) -> dict[str, Tensor]:
    """Return ``by_spread`` (B, 2, bins, 4), ``by_error`` (B, 2, bins, 2) and ``ranks`` (B, 2, M + 1)."""
    clip, kind, frame, joint = kinds.nonzero(as_tuple=True)
    rows, number, place = 2 * clip + kind, 2 * len(kinds), (clip, frame, joint)
    spread, error, ranks = spread[place], error[place], ranks[place]
    one = torch.ones_like(error)
    by_spread = binned_sums(spread, torch.stack([one, spread**2, error**2, error], dim=-1), rows, number)
    by_error = binned_sums(error, torch.stack([one, error], dim=-1), rows, number)
    bins = num_hypotheses + 1
    counts = torch.bincount(rows * bins + ranks, minlength=number * bins).int()
    return {
        'by_spread': by_spread.reshape(len(kinds), 2, *by_spread.shape[1:]),
        'by_error': by_error.reshape(len(kinds), 2, *by_error.shape[1:]),
        'ranks': counts.reshape(len(kinds), 2, bins),
    }


class UncertaintyReport:
    """Measures of the distribution of hypotheses over a data set.

    Args:
        clips: Sums of every clip, from :func:`uncertainty_sums`.
        num_hypotheses: M.
        apart: Seen and hidden joints are known apart.
    """

    def __init__(self, clips: Sequence[Sums], num_hypotheses: int, apart: bool) -> None:
        self.num_hypotheses = num_hypotheses
        total = {name: np.zeros(value.shape) for name, value in clips[0].items()}
        for clip in clips:
            for name, value in clip.items():
                total[name] += value
        self.pose_energy, self.poses = total.pop('pose_energy'), total.pop('poses')
        kinds = dict(enumerate(KINDS)) if apart else {}
        everything = {name: value.sum(0) for name, value in total.items() if not name.startswith('frame')}
        self.kinds = {'all': everything} | {
            kind: {name: value[index] for name, value in total.items()} for index, kind in kinds.items()
        }
        self.kinds = {kind: sums for kind, sums in self.kinds.items() if sums['count'].sum()}

    def metrics(self) -> dict[str, float]:
        """Return the named measures; those of a kind of joints without a member are left out."""
        found: dict[str, float] = {}
        for kind, sums in self.kinds.items():
            suffix = '' if kind == 'all' else f'_{kind}'
            count = sums['count'].sum()
            found[f'error_to_spread{suffix}'] = self._ratio(sums['error'].sum(), sums['spread'].sum())
            found |= {
                f'coverage_{_percent(share)}{suffix}': float(sums['radial'].sum(0)[PROBABILITIES.index(share)] / count)
                for share in INTERVALS
            }
            found[f'ece{suffix}'] = self._calibration_error(sums)
            found[f'energy_score{suffix}'] = float(sums['energy'].sum() / count)
        if not found:
            return found
        found['ece_floor'] = calibration_error_floor(self.num_hypotheses)
        found['pose_energy_score'] = float(self.pose_energy / self.poses)
        sphere = expected_radial_coverage(self.num_hypotheses)
        of_axes = self.kinds['all']['axes'].sum(0) / self.kinds['all']['count'].sum()
        for index, share in enumerate(INTERVALS):
            name = f'coverage_{_percent(share)}'
            found[f'{name}_perfect'] = float(sphere[PROBABILITIES.index(share)])
            found |= {f'{name}_{axis}': float(of_axes[number, index]) for number, axis in enumerate('xyz')}
            found[f'{name}_axis_perfect'] = expected_axis_coverage(self.num_hypotheses, share)
        return found

    def to_dict(self, joint_names: Sequence[str]) -> dict[str, Any]:
        """Return the measures for a file, with what curves are drawn from; see :class:`LiftingMetric`.

        Args:
            joint_names: (K,) names.
        """
        return {
            'num_hypotheses': self.num_hypotheses,
            'probabilities': list(PROBABILITIES),
            'perfect_coverage': expected_radial_coverage(self.num_hypotheses).tolist(),
            'kinds': {
                kind: {
                    **self._row({name: sums[name].sum(0) for name in ('count', *_PER_JOINT)}),
                    'spread_bins': root_mean_squares(sums['by_spread'][:, :3]),
                    'sparsification': sparsification(sums['by_spread'][:, 0], sums['by_spread'][:, 3]),
                    'sparsification_oracle': sparsification(*sums['by_error'].T),
                    'depth_ranks': sums['ranks'].astype(int).tolist(),
                    'joints': {
                        joint: self._row({name: sums[name][index] for name in ('count', *_PER_JOINT)})
                        for index, joint in enumerate(joint_names)
                        if sums['count'][index]
                    },
                }
                for kind, sums in self.kinds.items()
            },
        }

    def _row(self, sums: Sums) -> dict[str, Any]:
        """Return measures of one joint, or of all together; ``count`` is a number."""
        count = sums['count']
        ratio = self._ratio(float(sums['error']), float(sums['spread']))
        return {
            'count': int(count),
            'error': float(np.sqrt(sums['error'] / count)),
            'spread': float(np.sqrt(sums['spread'] / count)),
            'error_to_spread': ratio if np.isfinite(ratio) else None,
            'energy_score': float(sums['energy'] / count),
            'coverage': (sums['radial'] / count).tolist(),
            'axis_coverage': {
                f'{share:g}': (sums['axes'][:, index] / count).tolist() for index, share in enumerate(INTERVALS)
            },
        }

    def _ratio(self, error: float, spread: float) -> float:
        return error_to_spread(error, spread, self.num_hypotheses)

    def _calibration_error(self, sums: Sums) -> float:
        """Return the error over all joints by their median, of one kind by the mean over a frame's joints, as cGNF."""
        if 'frame_radial' in sums:
            return calibration_error(sums['frame_radial'] / sums['frames'], axis=None)
        there = sums['count'] > 0
        return calibration_error(sums['radial'][there] / sums['count'][there, None])


_PER_JOINT = ('error', 'spread', 'energy', 'radial', 'axes')


def _percent(share: float) -> int:
    return round(100 * share)
