"""diagnosis: what this machine has and lets the engine do; each check finds one thing, and says its cure."""
