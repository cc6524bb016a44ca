"""Accounts: the supervisor of the account actors; suspends those whose deaths repeat.

Takes   Announce (scheduler), and what supervisor.py takes
Sends   Announce -> account/NAME
Crash   its accounts die and start with it; drawings under way are found again as after an account's own death
"""
