"""`python -m tests.chaos`: the long form. Prints a table; exits 1 when a promise was broken, and keeps the folder."""

from __future__ import annotations

import argparse
import asyncio
import shutil
import sys
import tempfile
import time
from pathlib import Path

from tests.chaos.run import Plan, run


def main() -> int:
    """The exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--seed", type=int, default=int(time.time()), help="of customers and tormentor")
    parser.add_argument("--kills", type=int, default=Plan.kills)
    parser.add_argument("--users", type=int, default=Plan.users)
    parser.add_argument("--accounts", type=int, default=Plan.accounts)
    parser.add_argument("--seconds", type=float, default=Plan.seconds, help="of a drawing")
    parser.add_argument("--backlog", type=int, default=Plan.backlog, help="open orders a user")
    parser.add_argument("--sim-dies", action="store_true", help="the simulator is killed too")
    arguments = parser.parse_args()
    plan = Plan(**vars(arguments))
    folder = Path(tempfile.mkdtemp(prefix="limner-chaos-"))
    print(f"chaos: seed {plan.seed}, {plan.kills} kills, in {folder}", flush=True)
    report = asyncio.run(run(plan, folder, lambda line: print(f"  … {line}", flush=True)))
    print(report.table())
    if report.violations:
        print(f"chaos: {len(report.violations)} violations; logs and data are in {folder}", file=sys.stderr)
        return 1
    shutil.rmtree(folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
