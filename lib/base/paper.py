"""What the paper prints: its numbers and its claims, as data, each with page and place.

The paper is "Does Adversarial Transferability Indicate Knowledge Transferability?", anonymous submission to
ICLR 2021; pages are those of that PDF. Quotations are verbatim, shortened with [...]. A number that had to
be read into a damaged print is marked in `doubts`. No interval, seed count or test statistic is printed
anywhere.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Claim:
    """A sentence of the paper that an experiment or a proof can be held against."""

    key: str
    page: int
    place: str
    quote: str


@dataclass(frozen=True)
class Table:
    """A printed table: one value a column for every source, in the paper's order; `doubts` by cell."""

    page: int
    place: str
    sources: tuple[str, ...]
    columns: dict[str, tuple[float, ...]]
    doubts: dict[tuple[str, str], str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, values in self.columns.items():
            if len(values) != len(self.sources):
                raise ValueError(f"column {name} has {len(values)} values for {len(self.sources)} sources")


TEXT = Table(
    page=7, place="Figure 3, right", sources=("Yelp", "AG", "Fake"),
    columns={
        "tau1": (0.49, 0.47, 0.50),
        "tau2": (1.34e-3, 8e-4, 3e-6),
        "adversarial_loss": (0.16, 0.13, 0.12),
        "knowledge": (0.89, 0.66, 0.52),
    },
    doubts={("Yelp", "adversarial_loss"): "the text of the PDF has 0716; read as 0.16"},
)  # fmt: skip

ATTRIBUTES = Table(
    page=8, place="Table 1", sources=("Young", "Male", "Attractive", "Eyebrows", "Lipstick"),
    columns={
        "tau1": (0.0707, 0.0679, 0.0612, 0.0609, 0.0678),
        "tau2": (0.0759, 0.0521, 0.0418, 0.0529, 0.0388),
        "adversarial_loss": (17.83, 16.21, 14.13, 13.22, 12.54),
        "knowledge": (0.593, 0.589, 0.562, 0.551, 0.554),
    },
)  # fmt: skip

_CLAIMS = (
    Claim("affirmative", 1, "Abstract",
          "we investigate and give an affirmative answer to the question: does adversarial "
          "transferability indicate knowledge transferability?"),
    Claim("strong_correlation", 1, "Abstract",
          "showing a strong positive correlation between the adversarial transferability and "
          "knowledge transferability"),
    Claim("affine_reduces", 1, "Abstract",
          "composition with an affine function is sufficient to reduce the difference between the "
          "two models when they possess high adversarial transferability"),
    Claim("strong_correlation_introduction", 2, "Section 1, contributions",
          "Our empirical results show strong positive correlation between adversarial and knowledge "
          "transferability, which validates our theoretical prediction."),
    Claim("tau1_not_sufficient", 3, "Section 3.1",
          "it is not difficult to construct two functions with highest τ1 = 1, but not transferable "
          "with affine functions"),
    Claim("best_map", 4, "Section 3.1",
          "A is the best linear map trying to align the two deviations"),
    Claim("proposition_1", 4, "Proposition 1",
          "Both τ1 and τ2 are in [0, 1]."),
    Claim("theorem_1", 4, "Theorem 1",
          "For two functions fS and fT that both are Rⁿ → R, there is an affine function g [...]"),
    Claim("theorem_2", 5, "Theorem 2",
          "[...] there is an affine function g : Rᵐ → Rᵈ, such that [...] ((1 − τ1τ2) + (1 − τ1)(1 "
          "− τ2)λ²_fT + (λ_fT + λ_fS)²) 5L²"),
    Claim("theorem_3", 5, "Theorem 3",
          "If both fT, fS are β-smooth, then [...]"),
    Claim("incomparable_loss", 6, "Section 3.3",
          "it can be incomparable when we want to test adversarial transferability among different "
          "fT, unlike that τ1, τ2 are always between [0, 1]"),
    Claim("loss_like_tau1", 6, "Section 3.3",
          "the cross adversarial loss is similar to τ1"),
    Claim("proposition_2", 6, "Proposition 2",
          "the adversarial loss defined in Definition 6 is approximately upper and lower bounded by "
          "[...]"),
    Claim("alpha_range", 7, "Section 4.1, Overall Steps",
          "Note that α ∈ [0, 1]."),
    Claim("rbf_dataset", 7, "Section 4.1, Dataset",
          "each entry of the parameters are sampled once from U(−0.5, 0.5) [...] we want our neural "
          "networks to approximate f on the Gaussian mixture"),
    Claim("rbf_correlations", 7, "Section 4.1, Results",
          "The correlations between adversarial transferabilities (τ1, τ2, α) and the knowledge "
          "transferability (transferred loss) are observed."),
    Claim("rbf_theorem_2_tracks", 7, "Section 4.1, Results",
          "The upper bound for the difference of gradients (Theorem 2) basically tracks its true "
          "value."),
    Claim("rbf_theorem_3_trend", 7, "Section 4.1, Results",
          "Although the absolute value of the upper bound on the transferred loss (Theorem 3) can "
          "be big compared to the true transferred loss, their trends are similar."),
    Claim("rbf_beta", 7, "Section 4.1, Results",
          "the big difference in absolute value is due to the use of β-smoothness, which considers "
          "the worst case scenario"),
    Claim("rbf_tau1_tracks_alpha", 7, "Section 4.1, Results",
          "τ1 tracks the normalized adversarial cross loss α, as Proposition 2 suggests"),
    Claim("rbf_four_axes", 7, "Figure 2, caption",
          "There are in total 7 quantities reported, placed under 4 y-axes."),
    Claim("images_best_is_best", 8, "Section 4.2, Results",
          "if the source models that has highest adversarial transferability, its corresponding "
          "transferred model achieves the highest transferred accuracy"),
    Claim("images_closer_data", 8, "Section 4.2",
          "the closer the source data distribution is to the target data distribution, the more "
          "adversarially transferable the source model to the reference model"),
    Claim("prominent_in_both", 8, "Section 4.2, Results",
          "This phenomenon is prominent in both image and natural language domains."),
    Claim("text_tau1_alone", 8, "Section 4.2, Results",
          "The results in Figure 4.2 (b) could verify the implication by our theory that only τ1 is "
          "not sufficient for indicating knowledge transferability."),
    Claim("attributes_more_is_better", 8, "Section 4.3",
          "the more adversarially transferable the source model of certain attributes is to the reference "
          "model, the better the model performs on the target task"),
    Claim("attributes_young", 8, "Section 4.3, Result",
          "the attribute \"Young\" has the highest adversarial transferability; as a result, it also "
          "achieves highest classification average performance"),
    Claim("tasks_categories", 9, "Section 4.4, Results",
          "three intuitive categories are formed, i.e, 2D, 3D, and Semantic tasks for both "
          "adversarial and knowledge transferability"),
    Claim("tasks_entropy", 9, "Section 4.4, Results",
          "the adversarial transferability based category prediction shows low entropy when the "
          "number of categories is greater or equal to 3"),
    Claim("strong_correlation_tasks", 9, "Section 4.4, Results",
          "This result shows strong positive correlation between the adversarial transferability and "
          "knowledge transferability among learning tasks in terms of predicting the similar task "
          "categories."),
    Claim("conclusion", 9, "Section 5",
          "Both our theoretical and empirical results show that adversarial transferability can indicate "
          "knowledge transferability"),
    Claim("tasks_similar", 26, "Figure 5, caption",
          "We find our prediction is similar with theirs with n ≥ 3."),
)  # fmt: skip

CLAIMS = {claim.key: claim for claim in _CLAIMS}


def claim(key: str) -> Claim:
    """The claim of that key.

    Raises ValueError naming the known keys.
    """
    if key not in CLAIMS:
        raise ValueError(f"the paper has no claim {key!r} here: use one of {', '.join(CLAIMS)}")
    return CLAIMS[key]
