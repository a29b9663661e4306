"""Certificate authorities of clusters, and what they sign."""
