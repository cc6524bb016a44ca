"""structlog without its pretty printer; to be imported from here by everybody.

structlog imports rich, and rich pygments, wherever they are installed, as they are here for the terminal's commands:
3 MB and 40 ms, for colourful tracebacks that a daemon's log has no use for (console/logs.py). So rich is out of its
sight while it is imported.
"""

from __future__ import annotations

import sys

if "rich" in sys.modules:
    import structlog
else:
    sys.modules["rich"] = None  # type: ignore[assignment]  # Python's way to say: there is none
    try:
        import structlog
    finally:
        del sys.modules["rich"]

__all__ = ["structlog"]
