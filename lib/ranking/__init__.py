"""`lib.rank`: which of your own models to build on. Begin with `call.rank`; explained in `book/models.md`.

checks refuse what cannot be meant; targets, candidates (texts, pretrained) and references are measured;
measures and resampling give numbers; result holds them; doubts, report and figures show them.
"""
