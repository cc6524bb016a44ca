"""What watching the daemon costs it, and how fast it answers its operator: `python -m bench.overhead` (__main__.py)."""
