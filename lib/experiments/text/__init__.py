"""The parts of the text experiment: its settings, its models, its measures and its summary."""
