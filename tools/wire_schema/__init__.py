"""What other languages need of edge_engine/wire, generated from its structs."""
