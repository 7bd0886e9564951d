"""What the API says about tenants, people and permissions; and, in `base`, what all its operations share."""
