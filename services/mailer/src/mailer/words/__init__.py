"""What the model is told and what an email may say: pure, with its lists as data."""
