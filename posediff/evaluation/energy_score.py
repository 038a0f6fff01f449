"""Energy score of M hypotheses: a proper score of a whole distribution, lower is better, in the unit of the input.

The fair form (Ferro, Q. J. R. Meteorol. Soc. 140, 2014), whose expectation does not depend on M:
(1/M) Σ_i ‖h_i - y‖ - 1 / (2 M (M - 1)) Σ_{i≠j} ‖h_i - h_j‖. Its expectation is lowest if the hypotheses have the
distribution of the truth. Single values can be negative.

Shapes: ``hypotheses`` (…, M, T, K, 3), ``target`` (…, T, K, 3), both aligned at the root by the caller.
"""

from __future__ import annotations

import torch
from torch import Tensor

from posediff.evaluation.spread_skill import require_several

PAIRS_AT_ONCE = 2**22
"""Distances between hypotheses in memory at a time."""


def energy_score(hypotheses: Tensor, target: Tensor) -> Tensor:
    """Return the score of each joint as a point of three coordinates, (…, T, K).

    Raises:
        ValueError: M is 1.
    """
    require_several(hypotheses)
    return _fair_score(hypotheses.movedim(-4, -2), target)


def pose_energy_score(hypotheses: Tensor, target: Tensor, joint_mask: Tensor | None = None) -> Tensor:
    """Return the score of the whole pose as one vector of 3K coordinates, (…, T).

    Distances are Euclidean in that vector, not means over joints, so values are about √K times those of a joint.

    Args:
        joint_mask: (…, T, K), nonzero where a joint counts; the vector of a frame has the joints that count in it.

    Raises:
        ValueError: M is 1.
    """
    require_several(hypotheses)
    if joint_mask is not None:
        kept = joint_mask != 0
        target = torch.where(kept.unsqueeze(-1), target, 0.0)
        hypotheses = torch.where(kept.unsqueeze(-3).unsqueeze(-1), hypotheses, 0.0)
    return _fair_score(hypotheses.flatten(-2).movedim(-3, -2), target.flatten(-2))


def _fair_score(drawn: Tensor, truth: Tensor) -> Tensor:
    """Return the score of ``drawn`` (…, M, D) against ``truth`` (…, D), (…)."""
    number, size = drawn.shape[-2:]
    error = torch.linalg.vector_norm(drawn - truth.unsqueeze(-2), dim=-1).mean(-1)
    rows = drawn.reshape(-1, number, size)
    # Distances from products of matrices would be faster, but not exact for hypotheses that are close to each other.
    pairs = torch.cat(
        [
            torch.cdist(part, part, compute_mode='donot_use_mm_for_euclid_dist').sum((-2, -1))
            for part in rows.split(max(1, PAIRS_AT_ONCE // number**2))
        ]
    )
    return error - pairs.reshape(error.shape) / (2 * number * (number - 1))
