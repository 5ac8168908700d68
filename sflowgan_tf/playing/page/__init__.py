"""The page itself, in Gradio: its tabs, its parts, the server."""
