"""The parts of the task experiment: settings, scenes, networks, measures, transfer, summary."""
