"""Cues: physical differences between cameras that photos show, a file each; `names` collects them."""
