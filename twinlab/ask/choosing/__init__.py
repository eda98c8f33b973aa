"""Which call a question is: each kind of call takes from the question what it needs."""
