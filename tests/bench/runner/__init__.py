"""The bench of docs/performance.md: loads, runs, figures, and the judgement over them."""
