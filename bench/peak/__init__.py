"""The peak: the compressed day of 10,000 users on the real daemon. `python -m bench.peak` (see __main__.py)."""
