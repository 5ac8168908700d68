"""A page on which a model is played with; all but `page` does without Gradio."""
