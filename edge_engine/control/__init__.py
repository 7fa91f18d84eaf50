"""control: what an engine may be told while it runs, by whom, and what that does.

`service` has the socket, `commands` says what each command does, `journal` who asked for what, and `leisure`
keeps it all from taking the stages' time.
"""
