"""Evaluate a model on a dataset without a Runner, for commands that evaluate many settings."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Iterable
from typing import Any

import torch
from mmengine.config import Config
from mmengine.evaluator import BaseMetric

from posediff.datasets.pose_windows import PoseWindowDataset
from posediff.engine.config import require_parts
from posediff.models.estimator import PoseDiffusionEstimator
from posediff.registry import DATASETS, METRICS


def evaluate_model(
    model: PoseDiffusionEstimator,
    dataset: PoseWindowDataset,
    metric: BaseMetric,
    batch_size: int = 32,
    progress: Callable[[range], Iterable[int]] = iter,
) -> dict[str, float]:
    """Predict every item of a dataset and compute the metric.

    Args:
        model: Model in eval mode, on its device.
        dataset: Dataset in test mode.
        metric: Metric; its earlier results are deleted.
        batch_size: Clips per batch; the measures do not depend on it.
        progress: Wrapper of the range of batches, e.g. :func:`tqdm.tqdm`.

    Returns:
        The metric's measures, and ``seconds_per_clip``, the time of condition, sampling and aggregation.

    Raises:
        ValueError: The model's aggregator uses the ground truth.
    """
    if model.aggregator.uses_ground_truth:
        raise ValueError(
            f'{type(model.aggregator).__name__} uses the true position of the root: its poses are not compared with '
            "those of other models; choose root='estimate'"
        )
    metric.results.clear()
    with torch.no_grad():  # untimed: the first call measures memory, and compiles if enabled
        model(**model.data_preprocessor([dataset[0]], False), mode='predict')
    seconds = 0.0
    for start in progress(range(0, len(dataset), batch_size)):
        items = [dataset[index] for index in range(start, min(start + batch_size, len(dataset)))]
        data = model.data_preprocessor(items, False)
        began = _now(data['inputs'].device)
        with torch.no_grad():
            samples = model(**data, mode='predict')
        seconds += _now(data['inputs'].device) - began
        metric.process(None, [sample.to_dict() for sample in samples])
    return {**metric.evaluate(len(dataset)), 'seconds_per_clip': seconds / len(dataset)}


def build_test_dataset(cfg: Config, occlusion: str | None = None, max_items: int | None = None) -> PoseWindowDataset:
    """Build the dataset of ``cfg.test_dataloader``.

    Args:
        cfg: A config.
        occlusion: Pattern of :class:`posediff.datasets.transforms.KeypointOcclusion` to test with; None keeps the
            config's.
        max_items: Use this many items, evenly spaced over the dataset; None keeps the config's.

    Raises:
        ValueError: The config has no test dataset.
    """
    require_parts(cfg, 'test_dataloader.dataset')
    dataset: dict[str, Any] = cfg.test_dataloader.dataset.to_dict()
    if occlusion is not None:
        pipeline = [step for step in dataset.get('pipeline', []) if step['type'] != 'KeypointOcclusion']
        dataset['pipeline'] = [{'type': 'KeypointOcclusion', 'pattern': occlusion}, *pipeline]
    if max_items is not None:
        dataset['max_items'] = max_items
    return DATASETS.build(dataset)


def build_test_metric(cfg: Config) -> BaseMetric:
    """Build the first metric of ``cfg.test_evaluator``, without tables in the log and without prefix in its names."""
    require_parts(cfg, 'test_evaluator')
    evaluator = cfg.test_evaluator
    metric = dict(evaluator[0] if isinstance(evaluator, list) else evaluator)
    quiet = {'print_actions': False} if metric['type'] == 'LiftingMetric' else {}
    built = METRICS.build(metric | quiet)
    built.prefix = None
    return built


def set_sampling(
    model: PoseDiffusionEstimator, num_hypotheses: int | None = None, num_inference_steps: int | None = None
) -> None:
    """Change ``test_cfg`` of a built model; None keeps its value.

    Raises:
        ValueError: A number is out of range.
    """
    asked: dict[str, Any] = {'num_hypotheses': num_hypotheses, 'num_inference_steps': num_inference_steps}
    model.test_cfg = dataclasses.replace(
        model.test_cfg, **{name: value for name, value in asked.items() if value is not None}
    )


def _now(device: torch.device) -> float:
    """Return the time in s, after all work queued on a CUDA device is complete."""
    if device.type == 'cuda':
        torch.cuda.synchronize(device)
    return time.perf_counter()
