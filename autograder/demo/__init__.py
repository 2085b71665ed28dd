"""The product's first five minutes: a made-up class, and how it is graded."""
