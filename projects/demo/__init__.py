"""What a fresh portal shows: the published facts of 2021, and a demonstration beside them."""
