"""Verification accuracy of the forty CelebA models on seven benchmarks, as released."""

from lib.data.commands import script

if __name__ == "__main__":
    raise SystemExit(script("face_verification"))
