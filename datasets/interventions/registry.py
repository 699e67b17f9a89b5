"""All interventions."""

from __future__ import annotations

from camerabias.datasets.interventions.intervention import INTERVENTIONS, Intervention, Level, camera_levels
from camerabias.datasets.interventions.names import CUES
from camerabias.datasets.io.registered import import_files

__all__ = ["CUES", "INTERVENTIONS", "Intervention", "Level", "camera_levels"]

import_files("camerabias.datasets.interventions")
