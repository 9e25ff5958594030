"""The Taskonomy task bank: fifteen encoders with their decoders, PyTorch."""

from lib.data.commands import script

if __name__ == "__main__":
    raise SystemExit(script("taskbank"))
