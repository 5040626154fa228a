"""The web application: what people open in the morning. Each package below is one feature with the same file names."""
