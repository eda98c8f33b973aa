"""A question's words, times and quantities: tokens, the vocabulary of a twin, items, instants, the frame."""
