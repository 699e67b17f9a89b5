"""From predictions that somebody has to the findings of a verdict. Uses `verdict`."""
