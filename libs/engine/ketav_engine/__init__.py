"""The engine of Ketav on Kraken and torch: segmentation, recognition, training and model files."""
