"""A class on any number of machines: Dask carries submissions to workers, and verdicts back."""
