"""What all experiments share: one grid of observations, one record of tau and of pixel attacks, one clock."""
