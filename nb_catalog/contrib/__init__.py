"""What connects the app with other packages. Nothing here is imported unless a project names it."""
