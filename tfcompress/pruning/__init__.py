"""What `tfcompress.techniques.prune` is made of: grains, scores, budgets, and the ways to reach the target."""
