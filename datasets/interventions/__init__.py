"""Cues of photos moved to another level: to that of other cameras, or of all cameras to one."""
