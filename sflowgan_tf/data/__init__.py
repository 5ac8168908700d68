"""Raw frames to records, records to batches."""
