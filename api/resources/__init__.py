"""The API's resources, each with its routes as data and its handlers beside them."""
