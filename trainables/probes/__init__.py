"""What else a trained model is asked: attributions, perturbations, crops, counterfactuals. Uses `training`."""
