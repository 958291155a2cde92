"""What `nocust-operator doctor` looks at, one module a part of the operator."""
