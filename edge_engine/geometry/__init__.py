"""geometry: where objects are, in metres and degrees from the robot.

`lens` takes pixels to rays, `mounting` rays to the robot's axes, `distance` those to metres, each with its
errors; `calibration` reads files, `camera` is all of it for one stream.
"""
