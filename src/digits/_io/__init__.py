"""Files written whole or not at all, worker processes, and the process's standard error."""
