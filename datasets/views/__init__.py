"""What a model sees of a photo: views, their registry, and variants built and cached.

Uses `io` and the simulator's regions.
"""
