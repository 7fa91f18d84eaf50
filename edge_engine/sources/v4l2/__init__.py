"""v4l2: Linux's cameras by the kernel's own interface (linux/videodev2.h), without a library between."""
