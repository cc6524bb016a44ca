"""An account: what carries drawings to whoever draws them.

`desk` is what all drivers share; `midjourney` and `images` are drivers.
"""
