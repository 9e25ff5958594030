"""`lib.rank`: which of your own models to build on. Begin with `call.rank`; explained in `book/models.md`.

arguments and names; targets (and textfiles) -> candidates (and outputs, words, reference) -> measures ->
resamples -> report (and doubts).
"""
