"""CIFAR-10: photographs of ten classes, 32x32.

Variants, the original first: cifar10, cifar10_jpg.
"""

from lib.data.commands import script

if __name__ == "__main__":
    raise SystemExit(script("cifar10", "cifar10_jpg"))
