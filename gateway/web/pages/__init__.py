"""What the pages for people have in common: sessions, forms, templates, headers, how they look."""
