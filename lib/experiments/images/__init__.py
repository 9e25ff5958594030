"""Sources of images nearer to and farther from a target (Section 4.2)."""
