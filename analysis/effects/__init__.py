"""What trained models do with the camera: shortcut effect, strengths, cues, mitigations.

Uses `records` and `statistics`.
"""
