"""What the paper's settings cost on a cluster, and ten thousand candidates would: `book/cluster.md`."""
