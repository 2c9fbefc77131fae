"""HTTP: the ActiveSync endpoint, Autodiscover, health and metrics."""
