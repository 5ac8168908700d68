"""What is measured on pictures and films, alone and as sets, and how sure that is."""
