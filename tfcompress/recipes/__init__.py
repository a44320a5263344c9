"""Recipes that come with the package: one TOML file is one, usable by its name."""
