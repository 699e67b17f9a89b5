"""The page, its tables and figures. Uses every other room."""
