"""What every room needs: command line, quiet start, errors, whole files, provenance."""
