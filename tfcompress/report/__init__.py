"""How numbers are shown: the numbers themselves are `tfcompress.rows`."""
