"""How a service is built. Knows no noun of the business."""
