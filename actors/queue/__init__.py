"""The Queue, ledger of jobs: `actor` takes what is said to it; `ledger`, `course` and `shut` are its parts."""
