"""Video datasets labelled by a 2D pose estimator: only the keypoints that pass several checks are labels."""

from posediff.pipeline.pseudo_labels.dataset import LabelledSet, video_key
from posediff.pipeline.pseudo_labels.labeller import PseudoLabeller
from posediff.pipeline.pseudo_labels.rules import LabelRules

__all__ = ['LabelRules', 'LabelledSet', 'PseudoLabeller', 'video_key']
