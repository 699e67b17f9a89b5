"""What cues are made of: their words, and how photos are moved to the level of other cameras."""
