"""Check the datasets of a config before training."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from mmengine.config import Config
from mmengine.registry import DefaultScope

from posediff.registry import DATASETS, METRICS

PARTS = ('train', 'val', 'test')
Progress = Callable[[Iterable[int]], Iterable[int]]


@dataclass(frozen=True)
class PartReport:
    """Result of checking one part of the data.

    Attributes:
        part: ``train``, ``val`` or ``test``.
        summary: Text with the number of items and of those read; None if the dataset cannot be opened.
        problems: Error messages; empty if there are none.
    """

    part: str
    summary: str | None
    problems: tuple[str, ...]


def check_dataset(cfg: Config, items: int | None = 200, progress: Progress = iter) -> list[PartReport]:
    """Open the dataset of every part of a config and read some items.

    Opening checks the annotations and the existence of every required frame. Reading decodes images and runs the
    pipeline. The evaluator is built too and reads its ground truth.

    Args:
        cfg: A config. Parts without a dataloader are skipped; equal parts are checked once.
        items: Number of items to read per part, evenly spaced; None reads all.
        progress: Wraps the item indices, e.g. :func:`tqdm.tqdm`.
    """
    findings: list[PartReport] = []
    seen: list[tuple[Any, Any]] = []
    for part in PARTS:
        loader, evaluator = cfg.get(f'{part}_dataloader'), cfg.get(f'{part}_evaluator')
        if loader is None or (loader.dataset, evaluator) in seen:
            continue
        seen.append((loader.dataset, evaluator))
        with DefaultScope.overwrite_default_scope(cfg.get('default_scope', 'posediff')):
            findings.append(_check_part(part, loader.dataset, evaluator, items, progress))
    return findings


def _check_part(part: str, dataset: Any, evaluator: Any, items: int | None, progress: Progress) -> PartReport:
    problems: list[str] = []
    opened = _attempt(partial(DATASETS.build, dataset), problems)
    for metric in evaluator if isinstance(evaluator, (list, tuple)) else [evaluator]:
        if metric is not None:
            _attempt(partial(_check_metric, metric), problems)
    if opened is None:
        return PartReport(part, None, tuple(problems))
    size = len(opened)
    read = np.unique(np.linspace(0, size - 1, size if items is None else min(items, size)).astype(int))
    for index in progress(read.tolist()):
        _attempt(partial(opened.__getitem__, index), problems)
    return PartReport(part, f'{size} items, {len(read)} of them read', tuple(dict.fromkeys(problems)))


def _check_metric(config: Any) -> None:
    check_ground_truth = getattr(METRICS.build(config), 'check_ground_truth', None)
    if check_ground_truth is not None:
        check_ground_truth()


def _attempt(work: Callable[[], Any], problems: list[str]) -> Any:
    """Call ``work``; append its exception to ``problems``."""
    try:
        return work()
    except Exception as error:  # custom transforms may raise any exception
        message = error.args[0] if isinstance(error, KeyError) and error.args else error
        text = ' '.join(str(message).split())
        expected = isinstance(error, (OSError, ValueError, ImportError))
        problems.append(text if expected else f'{type(error).__name__}: {text}')
        return None


def as_text(findings: Iterable[PartReport], most: int = 20) -> str:
    """Return a report with at most ``most`` problems per part."""
    lines = []
    for finding in findings:
        state = finding.summary or 'cannot be opened'
        lines.append(
            f'{finding.part}: {state}; ' + (f'{len(finding.problems)} problems' if finding.problems else 'fine')
        )
        lines += [f'  {problem}' for problem in finding.problems[:most]]
        if len(finding.problems) > most:
            lines.append(f'  … and {len(finding.problems) - most} more')
    return '\n'.join(lines)
