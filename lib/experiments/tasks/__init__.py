"""Fifteen vision tasks that attack and teach one another (Section 4.4)."""
