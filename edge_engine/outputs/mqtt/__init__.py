"""mqtt: what is seen now, and which objects come and go, for Home Assistant and what understands Frigate.

Topics, below the engine's own `prefix`; r: retained. A count is true only while both `available` are online.

    available                  r  online, offline; also the last will
    <stream>/available         r  online while results come that may be acted on, offline else
    <stream>/state             r  {"state": "running", "reason": ""}; state.py's states, paused, and hangs
    <stream>/<label>           r  how many objects of that label are seen now
    <stream>/all               r  how many in all
    <stream>/result               a whole result as JSON, as in files; if asked for
    events                        objects of tracked streams come (new), are seen (update), and go (end)

Names and payloads are those of Frigate (docs.frigate.video/integrations/mqtt), whose events have more, such
as zones and pictures; what is empty here is so for automations that read it. Discovery is that of single
components (www.home-assistant.io/integrations/mqtt, "MQTT discovery").
"""
