"""yaml: files that people write, read so that every error names file, line, key, expected and found.

`source` reads a document and knows its lines; `struct` makes typed structs of it.
"""
