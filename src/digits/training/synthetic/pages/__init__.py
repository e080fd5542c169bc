"""Generated pages and photos of handwritten digits, with the exact ink of each digit."""
