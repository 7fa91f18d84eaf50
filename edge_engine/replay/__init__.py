"""replay: the pipeline on what was recorded (recording/), and whether it still says the same."""
