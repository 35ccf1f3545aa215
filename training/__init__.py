"""Makes the model file. TensorFlow lives here and nowhere else; nothing is imported before it is needed."""
