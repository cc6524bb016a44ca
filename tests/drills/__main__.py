"""`python -m tests.drills` holds all drills and prints the table of docs/DRILLS.md."""

from __future__ import annotations

from tests.city.ground import quiet
from tests.drills.faults import FAULTS
from tests.drills.town import SLOTS, Record, hold

HEAD = "| fault | lasts | alarms, after | what pacing did | jobs | refused meanwhile | back to normal |"


def row(name: str, record: Record) -> str:
    """One line of the table."""
    alarms = ", ".join(f"`{code}` {seconds:.0f} s" for code, seconds in record.alarms.items())
    jobs = (
        f"{record.accepted} accepted, {record.outcomes['done']} drawn, {record.lost} lost, {record.drawn_twice} twice"
    )
    refused = ", ".join(f"{count} `{code}`" for code, count in sorted(record.refused.items())) or "nobody"
    cells = (name, f"{record.fault_s:.0f} s", alarms, paced(record), jobs, refused, f"{record.normal_after_s:.0f} s")
    return f"| {' | '.join(cells)} |"


def paced(record: Record) -> str:
    """What pacing did, in short."""
    did = []
    if record.least_places < SLOTS:
        did.append(f"accounts {SLOTS} → {record.least_places} drawings at once")
    if record.least_pace < 1.0:
        did.append("intake stopped" if record.least_pace == 0 else f"intake down to {record.least_pace:.0%}")
    return "; ".join(did) or "nothing: the other account went on"


def main() -> None:
    """Prints the table."""
    print(HEAD)
    print("|" + "---|" * HEAD.count(" | ") + "---|")
    for name, fault in FAULTS.items():
        with quiet():
            record = hold(fault)
        print(row(name, record), flush=True)


if __name__ == "__main__":
    main()
