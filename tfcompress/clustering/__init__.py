"""Weight sharing: which kernels (`selection`), where codewords start (`initial`), how they move (`moving`)."""
