"""The craft of pixels: the only floor that knows Pillow, numpy and OpenCV."""
