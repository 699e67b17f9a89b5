"""Statistics of a photo's pixels that mean something to a photographer, a number each; nothing is trained."""
