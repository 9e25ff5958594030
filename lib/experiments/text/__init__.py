"""Sources of text nearer to and farther from film reviews (Section 4.2)."""
