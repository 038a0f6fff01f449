"""Metric of 2D-to-3D lifting."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.evaluator import BaseMetric
from mmengine.logging import print_log
from torch import Tensor

from posediff.evaluation import coherence, hypotheses, joints_3d
from posediff.evaluation.hypotheses import ORACLE_SUFFIX
from posediff.evaluation.metrics.lifting_uncertainty import UncertaintyReport, uncertainty_sums
from posediff.evaluation.reduction import masked_sum
from posediff.evaluation.tables import markdown_table
from posediff.fileio.atomic_files import atomic_write
from posediff.registry import AGGREGATORS, METRICS
from posediff.structures.skeletons import get_skeleton

Totals = dict[str, tuple[float, float]]


@METRICS.register_module()
class LiftingMetric(BaseMetric):
    """Position errors, coherence and, for more than one hypothesis, aggregates and calibration; distances in mm.

    Reports each of ``mpjpe mpjpe_unaligned p_mpjpe n_mpjpe mpjve symmetry_gap segment_std``, for M > 1 also
    ``p_agg p_best_oracle j_best_oracle`` and, if every sample has a camera, ``j_agg`` and ``rpea``, in three forms:

    * ``<name>``: mean over all frames;
    * ``<name>_action_mean``: unweighted mean over actions (the official test protocol);
    * ``action/<action>/<name>``.

    Measures of poses that were aggregated with the true root position (``root='ground_truth'`` of the model's
    aggregator) are named ``<name>_gt_root``: they are not realisable.

    For M > 1 it also reports, over all frames, how far the hypotheses are the distribution of the truth. The root does
    not count. A name with ``_seen`` or ``_hidden`` is over the joints that the input had, or not; without input mask
    and scores in a sample, these are left out:

    * ``error_to_spread``: error of the mean divided by what the spread claims; 1 is right, above 1 too narrow. See
      :func:`posediff.evaluation.spread_skill.error_to_spread`;
    * ``coverage_50``, ``coverage_90``: share of joints inside the sphere with 50 % or 90 % of the hypotheses, beside
      ``…_perfect``, that of a perfect sampler; ``…_x``, ``…_y``, ``…_z``: coordinates inside the central interval,
      beside ``…_axis_perfect``. See :mod:`posediff.evaluation.coverage`;
    * ``ece``, expected calibration error as in cGNF, beside ``ece_floor``, that of a perfect sampler;
    * ``energy_score`` of a joint and ``pose_energy_score`` of the pose as one vector, mm, lower is better.

    The minimum of the MPJPE over M hypotheses is ``p_best_oracle``.

    Only frames with a true ``frame_mask`` count, so overlapping windows count each frame once. ``mpjve`` (mm per frame)
    uses pairs of such neighbouring frames within a window. ``segment_std`` is computed over such frames of a window and
    weighted by their number. For windows without overlap this equals the official code's plain mean.

    Args:
        segments, unbiased: Variants of the coherence measures, see :mod:`posediff.evaluation.coherence`.
        p_best_per_batch: Also report D3DP's minimum over a whole batch, ``p_best_per_batch_oracle``.
        j_agg_root: Root position used by ``j_agg``: ``'estimate'``, ``'ground_truth'`` (as in D3DP; reported as
            ``j_agg_gt_root``), or None to omit ``j_agg``.
        rpea: Arguments of :class:`posediff.aggregation.ReprojectionExpectationAggregator` for ``rpea``, the aggregate
            of FMPose3D; with ``root='ground_truth'``, as published, it is reported as ``rpea_gt_root``. None omits it.
        print_actions: Log a table with one row per action.
        out_file: JSON file for all measures, and for the calibration per joint with its curves and the histogram of
            the truth's rank in depth, which ``posediff benchmark calibration`` draws. Needs M > 1.
        collect_device, prefix, collect_dir: See :class:`mmengine.evaluator.BaseMetric`.
    """

    default_prefix = 'lifting'

    def __init__(
        self,
        segments: coherence.SegmentReading = 'official',
        unbiased: bool = True,
        p_best_per_batch: bool = False,
        j_agg_root: str | None = 'estimate',
        rpea: Mapping[str, Any] | None = None,
        print_actions: bool = True,
        out_file: str | None = None,
        collect_device: str = 'cpu',
        prefix: str | None = None,
        collect_dir: str | None = None,
    ) -> None:
        super().__init__(collect_device, prefix, collect_dir)
        self.segments = segments
        self.unbiased = unbiased
        self.p_best_per_batch = p_best_per_batch
        self.print_actions = print_actions
        self.out_file = out_file
        configs: dict[str, dict[str, Any]] = {}
        if j_agg_root is not None:
            configs['j_agg'] = {'type': 'JointReprojectionAggregator', 'root': j_agg_root}
        if rpea is not None:
            configs['rpea'] = {'type': 'ReprojectionExpectationAggregator', **rpea}
        built = {name: AGGREGATORS.build(config) for name, config in configs.items()}
        self.aggregators = {f'{name}{_suffix(one.uses_ground_truth)}': one for name, one in built.items()}

    def process(self, data_batch: Any, data_samples: Sequence[dict]) -> None:
        """Reduce each sample to sums and counts.

        Args:
            data_batch: Unused.
            data_samples: ``to_dict()`` of :class:`posediff.structures.PoseDataSample`.

        Raises:
            ValueError: A prediction is NaN or infinite or has the wrong shape, or ``out_file`` is given and there is
                one hypothesis; the message names the sample.
        """
        clips = [_Clip(sample) for sample in data_samples]
        for clip in clips:
            if self.out_file is not None and clip.hypotheses is None:
                raise ValueError(
                    f'LiftingMetric: out_file={self.out_file!r} is for the calibration of several hypotheses, and '
                    f'sample {clip.sample_id!r} has one'
                )
        alike = len({clip.layout for clip in clips}) == 1
        for batch in [clips] if alike else [[clip] for clip in clips]:
            self.results.extend(
                {'action': clip.action, 'totals': totals, 'uncertainty': uncertainty}
                for clip, totals, uncertainty in zip(
                    batch, self._measure(batch), self._measure_uncertainty(batch), strict=True
                )
            )

    def compute_metrics(self, results: list[dict]) -> dict[str, float]:
        """Return means over the whole data set, see the class."""
        if not results:
            raise ValueError('LiftingMetric has no sample to evaluate: the data set is empty')
        metrics = self._errors(results)
        drawn = [result['uncertainty'] for result in results]
        layouts = {(None, 1) if one is None else one['layout'] for one in drawn}  # None: one hypothesis
        if len(layouts) > 1:
            problem = 'LiftingMetric: samples differ in skeleton or number of hypotheses: no calibration'
            if self.out_file is not None:
                raise ValueError(f'{problem} for out_file={self.out_file!r}')
            print_log(problem, 'current')
            return metrics
        skeleton, num_hypotheses = layouts.pop()
        if skeleton is None:
            return metrics
        apart = all(one['apart'] for one in drawn)
        report = UncertaintyReport([one['sums'] for one in drawn], num_hypotheses, apart)
        metrics |= report.metrics()
        if self.out_file is not None:
            known = {name: value if math.isfinite(value) else None for name, value in metrics.items()}
            calibration = {'skeleton': skeleton, **report.to_dict(get_skeleton(skeleton).joint_names)}
            text = json.dumps({'metrics': known, 'calibration': calibration}, allow_nan=False)
            Path(self.out_file).parent.mkdir(parents=True, exist_ok=True)
            with atomic_write(self.out_file) as temporary:
                temporary.write_text(text + '\n')
        return metrics

    def _errors(self, results: list[dict]) -> dict[str, float]:
        """Return errors and coherence over all frames, as means of actions and per action."""
        metrics = _means([result['totals'] for result in results])
        by_action: dict[str, list[Totals]] = {}
        for result in results:
            if result['action'] is not None:
                by_action.setdefault(result['action'], []).append(result['totals'])
        if not by_action:
            return metrics
        actions = {action: _means(totals) for action, totals in sorted(by_action.items())}
        names = list(metrics)
        for name in names:
            of_actions = [means[name] for means in actions.values() if name in means]
            metrics[f'{name}_action_mean'] = float(np.mean(of_actions)) if of_actions else float('nan')
        if self.print_actions:
            rows = [[action, *(means.get(name) for name in names)] for action, means in actions.items()]
            rows.append(['mean of actions', *(metrics[f'{name}_action_mean'] for name in names)])
            rows.append(['mean of frames', *(metrics[name] for name in names)])
            print_log('\n' + markdown_table(['mm', *names], rows), logger='current')
        metrics |= {
            f'action/{action}/{name}': value for action, means in actions.items() for name, value in means.items()
        }
        return metrics

    def _measure(self, clips: list[_Clip]) -> list[Totals]:
        """Return sums and counts of clips of equal layout."""
        stack = {name: torch.stack([getattr(clip, name) for clip in clips]) for name in _BATCH_FIELDS}
        pred, target, joints, frames = stack.values()
        skeleton = get_skeleton(clips[0].skeleton)
        root = skeleton.root
        values = {
            'mpjpe': joints_3d.mpjpe(pred, target, joints, root),
            'mpjpe_unaligned': joints_3d.mpjpe_unaligned(pred, target, joints),
            'p_mpjpe': joints_3d.p_mpjpe(pred, target, joints),
            'n_mpjpe': joints_3d.n_mpjpe(pred, target, joints, root),
            'symmetry_gap': coherence.symmetry_gap(pred, skeleton, self.segments),
        }
        suffix = _suffix(clips[0].uses_gt_root)
        values = {f'{name}{suffix}': value for name, value in values.items()}
        if clips[0].hypotheses is not None:
            drawn = torch.stack([clip.hypotheses for clip in clips if clip.hypotheses is not None])
            values |= self._measure_hypotheses(clips, drawn, target, joints, frames, root)
        totals = {name: masked_sum(value, frames, dim=-1) for name, value in values.items()}
        steps = frames[:, 1:] & frames[:, :-1]
        totals[f'mpjve{suffix}'] = masked_sum(joints_3d.mpjve(pred, target, joints, root), steps, dim=-1)
        num_frames = frames.sum(-1).double()
        std = coherence.segment_std(pred, skeleton, self.segments, self.unbiased, frames)
        enough = num_frames >= 2
        of_frames = (torch.where(enough, std * num_frames, 0.0), torch.where(enough, num_frames, 0.0))
        totals[f'segment_std{suffix}'] = of_frames
        rows = {name: torch.stack(pair, dim=-1).tolist() for name, pair in totals.items()}
        return [{name: tuple(row[index]) for name, row in rows.items()} for index in range(len(clips))]

    def _measure_uncertainty(self, clips: list[_Clip]) -> list[dict[str, Any] | None]:
        """Return sums for the calibration of clips of equal layout; None for one hypothesis."""
        drawn = [clip.hypotheses for clip in clips if clip.hypotheses is not None]
        if not drawn:
            return [None] * len(clips)
        target, joints, frames = (torch.stack([getattr(clip, name) for clip in clips]) for name in _BATCH_FIELDS[1:])
        sees = [clip.seen for clip in clips if clip.seen is not None]
        seen = torch.stack(sees) if len(sees) == len(clips) else None
        root = get_skeleton(clips[0].skeleton).root
        curves = self.out_file is not None
        several = uncertainty_sums(torch.stack(drawn), target, joints, frames, seen, root, curves)
        layout = clips[0].skeleton, len(drawn[0])
        return [{'layout': layout, 'apart': seen is not None, 'sums': sums} for sums in several]

    def _measure_hypotheses(
        self, clips: list[_Clip], drawn: Tensor, target: Tensor, joints: Tensor, frames: Tensor, root: int
    ) -> dict[str, Tensor]:
        several = (drawn, target, joints, root)
        values = {'p_agg': hypotheses.p_agg(*several)}
        for name, aggregator in self.aggregators.items() if all(clip.has_camera for clip in clips) else ():
            chosen = aggregator(drawn, [clip.sample for clip in clips])
            values[name] = joints_3d.mpjpe(chosen, target, joints, root)
        values[f'p_best{ORACLE_SUFFIX}'] = hypotheses.p_best(*several)
        values[f'j_best{ORACLE_SUFFIX}'] = hypotheses.j_best(*several)
        if self.p_best_per_batch:
            values[f'p_best_per_batch{ORACLE_SUFFIX}'] = hypotheses.p_best_per_batch(*several, frames)
        return values


GT_ROOT_SUFFIX = '_gt_root'


def _suffix(uses_gt_root: bool) -> str:
    return GT_ROOT_SUFFIX if uses_gt_root else ''


_BATCH_FIELDS = ('pred', 'target', 'joint_mask', 'frame_mask')


class _Clip:
    """The validated inputs from one sample, in float64 on the device of the prediction."""

    def __init__(self, sample: Mapping[str, Any]) -> None:
        self.sample = sample
        self.sample_id = sample.get('sample_id', 'without sample_id')
        self.action = sample.get('action')
        self.skeleton = sample['skeleton']
        self.has_camera = sample.get('camera') is not None and sample.get('input_keypoints_2d') is not None
        self.pred = self._finite('pred_instances.keypoints', sample['pred_instances']['keypoints'])
        device = self.pred.device
        truth = sample['gt_instances']
        self.target = torch.as_tensor(truth['lifting_target']).to(device, torch.float64)
        if self.pred.shape != self.target.shape:
            raise ValueError(
                f'sample {self.sample_id!r}: pred_instances.keypoints {tuple(self.pred.shape)} does not match '
                f'gt_instances.lifting_target {tuple(self.target.shape)}'
            )
        several = sample.get('pred_hypotheses')
        self.hypotheses = None
        if several is not None and len(several) > 1:
            self.hypotheses = self._finite('pred_hypotheses', several)
        visible = truth.get('lifting_target_visible')
        shape = self.target.shape[:-1]
        self.joint_mask = torch.ones(shape) if visible is None else torch.as_tensor(visible).reshape(shape)
        self.joint_mask = self.joint_mask.to(device) > 0
        self.seen = self._seen()
        frames = sample.get('frame_mask')
        self.frame_mask = torch.ones(shape[0]) if frames is None else torch.as_tensor(frames)
        root = get_skeleton(self.skeleton).root
        self.frame_mask = (self.frame_mask.to(device) > 0) & self.joint_mask[:, root]  # root alignment needs the root
        num_hypotheses = 1 if self.hypotheses is None else len(self.hypotheses)
        self.uses_gt_root = bool(sample.get('uses_gt_root', False))
        self.layout = (
            self.skeleton, tuple(shape), num_hypotheses, self.has_camera, self.uses_gt_root, self.seen is None
        )  # fmt: skip

    def _seen(self) -> Tensor | None:
        """Return which joints the input had, (T, K): mask and score are above 0; None without both."""
        given = [self.sample.get(f'input_keypoint_{name}') for name in ('mask', 'scores')]
        known = [torch.as_tensor(values).to(self.target.device) > 0 for values in given if values is not None]
        return torch.stack(known).all(0).reshape(self.target.shape[:-1]) if known else None

    def _finite(self, name: str, value: Any) -> Tensor:
        pose = torch.as_tensor(value).detach().double()
        bad = ~torch.isfinite(pose)
        if bad.any():
            where = tuple(int(index) for index in bad.nonzero()[0])
            raise ValueError(f'sample {self.sample_id!r}: {name} is {float(pose[where])} at index {where}')
        return pose


def _means(totals: Sequence[Totals]) -> dict[str, float]:
    """Return the mean of each measure that every sample has."""
    names = [name for name in totals[0] if all(name in sample for sample in totals)]
    sums = {name: np.sum([sample[name] for sample in totals], axis=0) for name in names}
    return {name: float(total / count) if count else float('nan') for name, (total, count) in sums.items()}
