"""The API's own description, generated from its routes, and the page that shows it."""
