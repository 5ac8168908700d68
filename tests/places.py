"""Where things lie in the checkout."""

from pathlib import Path

ROOT = Path(__file__).parents[1]
GOLDEN = ROOT / "tests/oracles/golden.npz"  # values of the oracles, see oracles/generate.py
