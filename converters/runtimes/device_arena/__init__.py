"""The arena on a 32-bit microcontroller."""
