"""A start of the reverse process that depends on the condition, instead of x_T ~ N(0, I)."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from posediff.diffusion.gaussian_mixture import GaussianMixture
from posediff.diffusion.noise import Noise


@dataclass(frozen=True)
class StartState:
    """What a conditioner knows about the state before sampling: the distribution of the start, and the scale of noise.

    For a component with mean mu and standard deviation s, drawn for each element, and z ~ N(0, I):

    * training: x_t = signal(t)·x_0 + noise(t)·s·z, with epsilon = s·z, and the first ``observed_channels`` of x_0 (of
      the head) are those of mu;
    * sampling starts at the first time K of the sampler with x_K = mu + ``noise_share``·noise(K)·s·z.

    With ``noise_share`` 1, x_K has the noise that the denoiser was trained on at K. With 0, it is mu, as in the
    released code of Gong et al. ("DiffPose: Toward More Reliable 3D Pose Estimation", CVPR 2023); the hypotheses of a
    single Gaussian are then equal.

    Attributes:
        mixture: Of states (B, …, D) in head units: weight (B, …, G), mean and std (B, …, G, D); the last axis of the
            state is D. An element of the axes before it, such as a joint, has one component.
        noise_share: Share of the noise of x_K, not negative.
    """

    mixture: GaussianMixture
    noise_share: float = 1.0

    def training_pair(self, x_0: Tensor, noise: Tensor, observed_channels: int) -> tuple[Tensor, Tensor]:
        """Return x_0 with the observed channels, and epsilon.

        Args:
            x_0: (N, …, D) labels, N = B·k, b-major; the first ``observed_channels`` are ignored.
            noise: (N, …, D) standard normal.
            observed_channels: Channels of x_0 that the labels do not contain.

        Returns:
            x_0 and epsilon, (N, …, D) each.

        Raises:
            ValueError: The shapes differ.
        """
        mixture = self.mixture
        repeats = x_0.shape[0] // max(mixture.mean.shape[0], 1)
        if repeats > 1:
            mixture = GaussianMixture(*(part.repeat_interleave(repeats, dim=0) for part in mixture))
        _check(mixture, tuple(x_0.shape[1:]))
        component = mixture.draw(noise)
        if observed_channels:
            x_0 = x_0.clone()
            x_0[..., :observed_channels] = component.mean[..., :observed_channels].to(x_0.dtype)
        return x_0, component.std * component.noise


class StartNoise(Noise):
    """Noise whose draw 0 is the start state of each row instead of standard normal noise.

    Args:
        noise: Standard normal noise (1, B, M, …), for a deterministic sampler.
        start: Start state of B clips.
        level: noise(K) of the path at the first time of the sampler.

    Raises:
        ValueError: The shape of the start state is not that of the noise.
    """

    def __init__(self, noise: Noise, start: StartState, level: float) -> None:
        _check(start.mixture, tuple(noise.shape[3:]))
        self.noise, self.mixture, self.scale = noise, start.mixture, start.noise_share * level
        self.shape = noise.shape

    def read(self, draw: int, clips: slice, hypotheses: slice) -> Tensor:
        mixture = GaussianMixture(*(part[clips].unsqueeze(1).float() for part in self.mixture))
        component = mixture.draw(self.noise.read(draw, clips, hypotheses))
        return component.mean + self.scale * component.std * component.noise


def _check(mixture: GaussianMixture, state: tuple[int, ...]) -> None:
    """Check that a mixture is one of states of this shape, without the leading axis."""
    found = (*mixture.mean.shape[1:-2], mixture.mean.shape[-1])
    if found != state:
        raise ValueError(f'the start state of the conditioner has shape {found}, but x_0 of the head has {state}')
