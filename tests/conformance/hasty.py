"""`python -m tests.conformance.hasty`: `limner` with the waits of the gateway machine at the pace of the live tests.

Nothing else of it is different: how many tries, and what follows what, are as they are.
"""

from __future__ import annotations

import runtime
from protocol import gateway, gateway_backoff

HELLO_S_MAX = 2.0
STABLE_S = 5.0
BACKOFF_S_MAX = 2.0

if __name__ == "__main__":
    gateway.HELLO_S_MAX = HELLO_S_MAX
    gateway_backoff.STABLE_S, gateway_backoff.BACKOFF_S_MAX = STABLE_S, BACKOFF_S_MAX
    runtime.main()
