"""Pictures, scenes and videos on disk."""
