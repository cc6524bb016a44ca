"""`limner console`: the operator's full screen. What it shows comes over HTTP (docs/ADMIN.md), a screen a file."""
