"""A file measured on a connected phone, through adb and the demo app."""
