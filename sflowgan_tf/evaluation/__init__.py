"""Pictures to figures: what is scored, who judges, what is measured, and the report."""
