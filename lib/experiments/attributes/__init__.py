"""The parts of the attribute experiment: its settings, people, networks, measures and summary."""
