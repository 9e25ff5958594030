"""Forty attributes of a face, and who it is (Section 4.3)."""
