"""Documents from stored figures: what people hand in, argue about and are billed on."""
