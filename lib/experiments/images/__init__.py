"""The parts of the image experiment: its settings, its networks, its measures and its summary."""
