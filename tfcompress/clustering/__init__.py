"""Weight sharing: where codewords start (`initial`), how they move (`moving`, and `following` beside a norm)."""
