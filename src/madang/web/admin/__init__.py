"""The admin API: for holders of the admin key."""
