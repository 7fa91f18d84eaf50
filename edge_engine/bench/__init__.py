"""bench: the engine measured in a process of its own, beside what its machine could do."""
