"""Forms drawn with known truth, and the damage that scanners do to them: numpy and OpenCV, no TensorFlow."""
