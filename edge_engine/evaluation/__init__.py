"""evaluation: how right a model is, on labelled pictures: the same numbers as the reference tools."""
