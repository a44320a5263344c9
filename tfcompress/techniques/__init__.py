"""One file here = one technique; its name is the name in a recipe. See `tfcompress.technique`."""
