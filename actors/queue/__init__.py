"""The Queue, ledger of jobs: `actor` takes what is said to it; `ledger`, `course`, `shut`, `intake` are its parts."""
