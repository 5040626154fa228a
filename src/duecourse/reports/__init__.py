"""Self-contained HTML pages and server-side SVG charts, shared by the command line and the web app."""
