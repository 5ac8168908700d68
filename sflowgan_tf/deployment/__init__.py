"""A trained run to models that stand alone: SavedModel and TFLite files."""
