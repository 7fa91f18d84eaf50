"""follow: a controller that follows a person, to read and to copy.

`safety` is the rule by which it may move at all, `target` whom it follows, `steering` how, `loop` when;
`robots` are what it moves, simulated: a pan-tilt head and a rover.
"""
