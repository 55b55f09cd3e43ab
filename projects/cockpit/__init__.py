"""What leaders look at: the numbers of a programme and a unit, each with the list that proves it."""
