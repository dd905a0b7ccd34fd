"""The mixture in front of a net that learns labels: net, last label, linear model. See README.md here."""
