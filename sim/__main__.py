"""`python -m sim`: the simulator by itself, with the options of `limner sim`."""

import argparse
from pathlib import Path

from sim.main import run


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m sim", description="The simulated Discord, on loopback.")
    parser.add_argument("--port", type=int, default=0, help="0: any")
    parser.add_argument("--accounts", type=int, default=2)
    parser.add_argument("--bots", type=int, default=1)
    parser.add_argument("--seed", type=int)
    parser.add_argument("--seconds", type=float, default=6.0, help="a drawing's time")
    parser.add_argument("--data", type=Path, help="keep everything in this folder (else in memory)")
    parser.add_argument("--pictures", choices=("painted", "canned"), default="painted")
    parser.add_argument("--until-stdin-closes", dest="parent_watch", action="store_true", help="end with the parent")
    run(**vars(parser.parse_args()))


if __name__ == "__main__":
    main()
