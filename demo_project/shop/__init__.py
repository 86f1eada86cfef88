"""The shop: categories, products, bundles and their pages."""
