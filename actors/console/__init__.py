"""The Console, which carries out what operators ask for: `actor` takes it, `desk` answers; other files: a noun each."""
