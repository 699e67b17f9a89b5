"""How cameras differ, from what is measured on their photos, within a label. Uses `statistics` alone."""
