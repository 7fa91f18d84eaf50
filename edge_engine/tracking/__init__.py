"""tracking: which object of one picture is which of the next.

`tracker` is the life of tracks, `motion` lies in kernels/, `association` decides who is who.
"""
