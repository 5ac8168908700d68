"""Raw frames to shards of records, in parallel."""
