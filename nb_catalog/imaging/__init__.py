"""Image processing with Pillow, numpy and OpenCV: reading, cut-outs, scenes, composites, files."""
