"""What the theory chapters compute on small random networks (`lib.experiments.pairs.record`)."""
