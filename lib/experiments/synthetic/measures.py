"""Everything that Section 4.1 measures on one source, against one target on one data set."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from lib.base import streams
from lib.experiments.synthetic.networks import Problem, sample, squared
from lib.measures import jacobian, probe, singular, transferability
from lib.measures.transferability import Transferability
from lib.models import mlp
from lib.theory import bounds

Quantities = dict[str, float | None]
SPLITS = 10  # random halves behind one split-half value of tau2
SEGMENT_POINTS = 200  # samples x at which beta is bounded from below, at a random point of [0, x]


@dataclass(frozen=True)
class Scene:
    """The target f_T, its data, and what of it every source is compared with."""

    target: mlp.MLP
    x: Tensor  # (N, n)
    y: Tensor  # (N, d)
    fresh_x: Tensor  # other points of the same problem, for losses out of sample
    fresh_y: Tensor
    inside: Tensor  # points of the segments [0, x], where Theorem 3 needs smoothness
    epsilon: float
    blank: mlp.MLP  # random, untrained, of the target's width: what a refit reaches with no knowledge

    @cached_property
    def jacobians(self) -> Tensor:
        """J_T (N, d, n)."""
        return jacobian.jacobians(self.target, self.x)

    @cached_property
    def radius(self) -> float:
        """max |x|."""
        return float(self.x.norm(dim=1).max())

    @cached_property
    @torch.no_grad()
    def loss(self) -> float:
        """E|f_T - y|^2."""
        return float(squared(self.target(self.x) - self.y))

    @cached_property
    def own_adversarial_loss(self) -> float:
        """L_adv(f_T, delta_T; y, D), |delta_T| = epsilon."""
        return adversarial_loss(self, self.epsilon * singular.top_right(self.jacobians).to(self.x))

    @torch.no_grad()
    def refit(self, source: mlp.MLP) -> tuple[float, float]:
        """The loss with the last layer of `source` refit to y in closed form; and that on fresh points."""
        last = probe.affine_refit(source.features(self.x), self.y)
        fresh = source.features(self.fresh_x) @ last.weight.T + last.bias
        return last.loss, float(squared(fresh - self.fresh_y))

    @torch.no_grad()
    def reference(self) -> dict[str, float]:
        """What a reader needs to judge the target: losses, the targets' variance, radius and smoothness.

        tau1 and tau2 from the untrained network, which knows nothing of the target, to the target, too.
        """
        blank = transferability.measure_jacobians(jacobian.jacobians(self.blank, self.x), self.jacobians)
        return {
            "blank_tau1": blank.tau1,
            "blank_tau2": blank.tau2,
            "reference_loss": self.loss,
            "reference_loss_fresh": float(squared(self.target(self.fresh_x) - self.fresh_y)),
            "target_variance": float(squared(self.y - self.y.mean(0))),
            "linear_loss": probe.affine_refit(self.x, self.y).loss,
            **dict(zip(("blank_loss", "blank_loss_fresh"), self.refit(self.blank))),
            "radius": self.radius,
            "beta_target": mlp.beta_bound(self.target),
            "beta_target_sampled": mlp.beta_sampled(self.target, self.inside),
        }


def scene(problem: Problem, seed: int, target: mlp.MLP, epsilon: float, device: torch.device) -> Scene:
    """The scene of a seed: data, points between them and the origin, and an untrained network."""
    drawn = (*sample(problem, seed), *sample(problem, seed, fresh=True))
    x, y, fresh_x, fresh_y = (part.to(device) for part in drawn)
    share = torch.rand(SEGMENT_POINTS, 1, generator=streams.generator(seed, "segments"), dtype=x.dtype)
    width, stream = target.hidden.out_features, streams.generator(seed, "blank", target.hidden.out_features)
    blank = mlp.MLP(problem.inputs, width, problem.outputs, generator=stream).to(device).eval()
    return Scene(target, x, y, fresh_x, fresh_y, share.to(device) * x[:SEGMENT_POINTS], epsilon, blank)


@torch.no_grad()
def adversarial_loss(scene: Scene, attack: Tensor) -> float:
    """Def. 6, E|f_T(x + delta) - y|^2, averaged over delta and -delta: the sign of an attack is arbitrary."""
    losses = [squared(scene.target(scene.x + sign * attack) - scene.y) for sign in (1, -1)]
    return float(sum(losses)) / 2


def measure(scene: Scene, source: mlp.MLP, generator: torch.Generator, nulls: int) -> Quantities:
    """All quantities of one source, by name; None where one is not defined."""
    jac = jacobian.jacobians(source, scene.x)
    found = transferability.measure_jacobians(jac, scene.jacobians)
    return {
        "tau1": found.tau1,
        "tau2": found.tau2,
        "alpha": found.alpha,
        "alpha_squared": found.alpha_squared,
        "projection_scale": found.projection_scale,
        "lambda_source": float(found.lambda_source.max()),
        "lambda_target": float(found.lambda_target.max()),
        **_tau2_context(found, generator, nulls),
        **_adversarial(scene, jac, found),
        **_theorem_2_and_3(scene, source, jac, found),
        **_losses(scene, source, found.alignment),
    }


def _tau2_context(found: Transferability, generator: torch.Generator, nulls: int) -> dict[str, float]:
    """tau2 with the samples mispaired, signs drawn anew or kept; and with A on points it was not fitted on.

    Only the null with kept signs retains what is common to all samples, which smooth models share by being
    nearly affine (chapter "Definitions"): tau2 has to be read against it, and against the untrained network.
    """
    pair = found.deviation_source, found.deviation_target
    null = transferability.tau2_null(*pair, generator=generator, repeats=nulls)
    kept = transferability.tau2_null(*pair, generator=generator, repeats=nulls, signs="kept")
    split = transferability.split_half(*pair, generator=generator, repeats=SPLITS)
    high = {"tau2_null_high": float(null.quantile(0.95)), "tau2_kept_high": float(kept.quantile(0.95))}
    return {"tau2_null": float(null.mean()), **high, "tau2_split": split}


def _adversarial(scene: Scene, jac: Tensor, found: Transferability) -> Quantities:
    """The true cross adversarial loss at epsilon, normalised, beside Proposition 2's two ends for it.

    "ratio" divides by the target's own adversarial loss, as Section 4.1 does; "excess" first takes the clean
    loss off both. The ends are divided by the same E sigma_T^2 that normalises alpha squared.
    """
    interval = bounds.proposition_2(jac, scene.jacobians)
    own = float(found.sigma_target.square().mean())
    pulled = (jac.mT @ found.deviation_source.unsqueeze(-1)).squeeze(-1)  # J' J v = sigma^2 v
    attack = torch.nn.functional.normalize(pulled, dim=1)
    loss, strongest = adversarial_loss(scene, scene.epsilon * attack), scene.own_adversarial_loss
    gain = strongest - scene.loss  # not positive only where the target is as good as constant
    return {
        "adversarial_loss": loss,
        "adversarial_ratio": loss / strongest,
        "adversarial_excess_ratio": (loss - scene.loss) / gain if gain > 0 else None,
        "proposition_2_lower": interval.lower / own,
        "proposition_2_upper": interval.upper / own,
    }


def _theorem_2_and_3(scene: Scene, source: mlp.MLP, jac: Tensor, found: Transferability) -> dict[str, float]:
    """Both sides of Theorem 2, and Theorem 3's bounds with beta certified, sampled, and left out."""
    second = bounds.theorem_2(jac, scene.jacobians)
    assert second.lhs is not None
    spread_s, spread_t = (float(s.square().mean().sqrt()) for s in (found.sigma_source, found.sigma_target))
    both = source, scene.target
    beta, product = max(map(mlp.beta_bound, both)), max(map(mlp.beta_product, both))
    sampled = max(mlp.beta_sampled(model, scene.inside) for model in both)
    roots = math.sqrt(scene.loss), math.sqrt(second.lhs), spread_t / spread_s

    def third(beta: float) -> Mapping[str, float]:
        return bounds.theorem_3(*roots, beta, radius=scene.radius).rhs

    return {
        "gradient_difference": second.lhs,
        "norm_ratio": roots[2],
        **{f"theorem_2_{name}": value for name, value in second.rhs.items()},
        "beta": beta,
        "beta_product": product,
        "beta_sampled": sampled,
        "theorem_3_paper": third(beta)["paper"],
        "theorem_3_half_beta": third(beta)["half_beta"],
        "theorem_3_sampled_beta": third(sampled)["half_beta"],
        "theorem_3_no_beta": third(0.0)["paper"],
    }


@torch.no_grad()
def _losses(scene: Scene, source: mlp.MLP, alignment: Tensor) -> dict[str, float]:
    """The transferred loss four ways: last layer refit (on its sample and on fresh points), the best affine g
    of the outputs (Problem 1), and the theorem's own g(z) = A z + c with g(f_S(0)) = f_T(0)."""
    loss, fresh = scene.refit(source)
    origin = torch.zeros(1, scene.x.shape[1], dtype=scene.x.dtype, device=scene.x.device)
    shifted = (source(scene.x) - source(origin)) @ alignment.T + scene.target(origin)
    affine, own = probe.affine_refit(source(scene.x), scene.y).loss, float(squared(shifted - scene.y))
    refit = {"transferred_loss": loss, "transferred_loss_fresh": fresh}
    return {**refit, "affine_loss": affine, "theorem_g_loss": own}
