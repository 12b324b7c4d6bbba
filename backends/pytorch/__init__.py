"""PyTorch, as its tutorials use it: modules, autograd, a DataLoader, an eager step."""
