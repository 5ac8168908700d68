"""What a device needs: NumPy and LiteRT alone."""
