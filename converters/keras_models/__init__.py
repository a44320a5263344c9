"""Models as users have them: this package alone knows that there are two Kerases."""
