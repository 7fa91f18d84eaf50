"""inspection: what a model file is, where each fact of it comes from, and whether it works as it is read."""
