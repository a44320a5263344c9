"""Weight sharing: where codewords start (`initial`), how they move (`moving`)."""
