"""mavlink: what a flight controller, or any vehicle of MAVLink 2, is told of what the cameras see.

    HEARTBEAT           once a second: an onboard controller, active; critical while a stream gives nothing
    OBSTACLE_DISTANCE   how near things are, in 72 sectors of 5° around the vehicle
    LANDING_TARGET      in which direction the landing pad is from a camera that looks down
    TIMESYNC            once a second: what time the autopilot has

Only what is fresh and valid is sent: an autopilot that hears nothing knows by its own time limit that it
knows nothing. What the fields mean is from MAVLink's common.xml (mavlink.io/en/messages/common.html),
ArduPilot's AP_Proximity_MAV.cpp and AC_PrecLand_MAVLink.cpp, and its page "Precision Landing"
(ardupilot.org/dev). It was tried against pymavlink, not yet with an autopilot, nor with a simulated one.
"""
