"""Pure tensor functions: edges, warps, class tables, pictures."""
