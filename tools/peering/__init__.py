"""What people run today in place of this engine, each as its own documentation or most tutorials have it."""
