"""`lib.rank`: which of your own models to build on. Begin with `call.rank`; explained in `book/models.md`.

targets -> candidates (and words, reference) -> measures -> resamples -> report.
"""
