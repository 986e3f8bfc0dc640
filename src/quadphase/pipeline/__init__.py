"""The only room that knows the order of stages: plan, resume, workers, progress, and what stopped where."""
