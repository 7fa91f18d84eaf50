"""Goldens: small files that were made once, by the scripts named in the tests that read them."""

from pathlib import Path

GOLDEN = Path(__file__).parent
