"""Sentences of the paper on its experiments that the verdict decides, beside those in `lib.paper`."""

from lib.paper import Claim

VALIDATES = Claim(
    "strong_correlation_introduction", 2, "Section 1, contributions",
    "Our empirical results show strong positive correlation between adversarial and knowledge "
    "transferability, which validates our theoretical prediction.",
)  # fmt: skip
PROMINENT = Claim(
    "prominent_in_both", 8, "Section 4.2, Results",
    "This phenomenon is prominent in both image and natural language domains.",
)  # fmt: skip
ATTRIBUTES = Claim(
    "attributes_more_is_better", 8, "Section 4.3",
    "the more adversarially transferable the source model of certain attributes is to the reference "
    "model, the better the model performs on the target task",
)  # fmt: skip
TASKS = Claim(
    "strong_correlation_tasks", 9, "Section 4.4, Results",
    "This result shows strong positive correlation between the adversarial transferability and "
    "knowledge transferability among learning tasks in terms of predicting the similar task categories.",
)  # fmt: skip
CONCLUSION = Claim(
    "conclusion", 9, "Section 5",
    "Both our theoretical and empirical results show that adversarial transferability can indicate "
    "knowledge transferability",
)  # fmt: skip
