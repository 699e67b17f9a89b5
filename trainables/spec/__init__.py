"""What a trial is asked to do: recipe, mitigation, configuration and id.

Uses datasets' words alone; without torch.
"""
