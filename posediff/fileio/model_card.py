"""The model card of published weights."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field

NOT_STATED = 'not stated'


@dataclass(frozen=True)
class ModelCard:
    """The information of a model card.

    Attributes:
        name: Title of the card.
        description: Input and output of the model.
        data: Training data and procedure.
        licence: Licence of the weights; an SPDX identifier such as ``'Apache-2.0'`` also tags the card.
        metrics: Measured values by name, e.g. ``{'MPJPE': '71.5 mm'}``.
        evaluation: Evaluation data of the metrics.
        third_party: Weights of other authors that are included or that training started from, and their licences.
        limits: Uses for which the model is not suitable.
    """

    name: str = 'Pose model'
    description: str = NOT_STATED
    data: str = NOT_STATED
    licence: str = NOT_STATED
    metrics: Mapping[str, object] = field(default_factory=dict)
    evaluation: str = NOT_STATED
    third_party: str = NOT_STATED
    limits: str = NOT_STATED

    def __post_init__(self) -> None:
        for entry in dataclasses.fields(self):
            if entry.name == 'metrics':
                continue
            value = getattr(self, entry.name)
            if not (isinstance(value, str) and value.strip()):
                raise ValueError(f'{entry.name} of a model card must be a text that is not empty, got {value!r}')

    def text(self) -> str:
        """Return the card as Markdown with the metadata header of the Hugging Face Hub."""
        tag = self.licence.lower() if self.licence != NOT_STATED and ' ' not in self.licence else None
        header = ['---', 'library_name: posediff', *([f'license: {tag}'] if tag else []), 'tags: [human-pose]', '---']
        rows = [f'| {name} | {value} |' for name, value in self.metrics.items()]
        metrics = '\n'.join(['| metric | value |', '|---|---|', *rows]) if rows else NOT_STATED
        sections = {
            'Training data': self.data,
            'Licence': self.licence,
            'Evaluation data': self.evaluation,
            'Metrics': metrics,
            'Third-party weights': self.third_party,
            'Limits': self.limits,
        }
        parts = ['\n'.join(header), f'# {self.name}', self.description]
        parts += [f'## {title}\n{content}' for title, content in sections.items()]
        return '\n\n'.join(parts) + '\n'
