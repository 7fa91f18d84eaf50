"""What other languages need of edge_engine/wire.py, generated from its structs."""
