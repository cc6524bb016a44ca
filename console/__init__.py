"""What a person at a terminal uses: the commands of `limner`, each in a file, and what the daemon is prepared with."""
