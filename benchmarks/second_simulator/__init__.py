"""A second simulator of cameras, written from physics by someone who had not seen the first.

A method that names what distinguishes cameras is judged by it, so that one tuned on the first simulator does not pass
by knowing its quirks. `python -m benchmarks.second_simulator FOLDER` makes datasets whose planted cues are known.
"""
