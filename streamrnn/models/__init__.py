"""River estimators on top of the kernels. They know kernels, not streams."""
