"""quantization: a float model made INT8 with the user's own pictures, without harm, and the proof of that."""
