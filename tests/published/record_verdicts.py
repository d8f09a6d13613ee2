"""Write the verdicts as they are now beside the tests: `python tests/published/record_verdicts.py`.

Run it after a change that is meant to move a verdict, and review the difference line by line.
"""

from __future__ import annotations

import csv
from pathlib import Path

from ivig_dcssc.article import open_ledger

RECORD = Path(__file__).with_name("verdicts.csv")
COLUMNS = ("id", "verdict", "reproduced", "interval")


def main() -> None:
    """Reproduce every row that can have a verdict, and write it."""
    ledger = open_ledger()
    scratch = RECORD.with_suffix(".tmp")
    with scratch.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(COLUMNS)
        for row in ledger:
            if row.evidence.has_verdict:
                writer.writerow([row.id, row.verdict, row.reproduced, row.interval])
    scratch.replace(RECORD)


if __name__ == "__main__":
    main()
