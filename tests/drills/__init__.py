"""Fault drills: each brings a fault upon a whole daemon in virtual time, and tells what it did about it."""
