"""Records in; tables, figures and report out. Works offline on a copied run, without torch or Ray."""
