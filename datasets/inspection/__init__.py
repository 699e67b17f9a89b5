"""What the photos tell without a model: headers, sensor patterns, contact sheets. Uses `io` and `views`."""
