"""Names that are at home in `streams` (random numbers) and `devices` (device, threads)."""

from lib.base.devices import DEVICES, at_most_threads, environment, resolve_device
from lib.base.streams import generator

__all__ = ["DEVICES", "at_most_threads", "environment", "generator", "resolve_device"]
