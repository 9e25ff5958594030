"""Adversarial and knowledge transferability: the measured, tested half of the book.

The one law: data -> models -> attacks -> measures -> statistics -> figures -> chapters.
Nothing is imported here, so that a chapter depends only on what it uses.
"""

__version__ = "0.1.0"
