"""The page, its tables, figures and pictures. Uses every other room."""
