"""What people write down (site.yaml, profiles, tariffs, notices) to what it means, and back."""
