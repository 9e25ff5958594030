"""The synthetic experiment (Section 4.1): radial basis functions, where all of the theory can be computed."""
