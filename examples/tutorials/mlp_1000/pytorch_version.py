"""The network 784-1000-10 in PyTorch, trained on MNIST."""

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

BATCH_SIZE = 100
EPOCHS = 10


def prepare(images):
    # each image becomes a vector of 784 numbers from 0 to 1
    return images.reshape(-1, 784).float() / 255


def build():
    model = nn.Sequential(
        nn.Linear(784, 1000),
        nn.ReLU(),
        nn.Linear(1000, 10),
    )
    for layer in model:
        if isinstance(layer, nn.Linear):
            # as Keras starts; PyTorch by itself: Kaiming uniform, biases too
            nn.init.xavier_uniform_(layer.weight)
            nn.init.zeros_(layer.bias)
    return model


def train(model, images, labels, epochs=EPOCHS, shuffle=True):
    dataset = TensorDataset(images, labels)
    loader = DataLoader(dataset, batch_size=BATCH_SIZE, shuffle=shuffle)
    # eps as in Keras, but added elsewhere; PyTorch's own is 1e-8
    optimizer = torch.optim.Adam(model.parameters(), lr=0.001, eps=1e-7)
    # takes logits: softmax is a part of it
    cross_entropy = nn.CrossEntropyLoss()
    losses = []
    model.train()
    for epoch in range(epochs):
        total = 0.0
        for some_images, some_labels in loader:
            optimizer.zero_grad()
            loss = cross_entropy(model(some_images), some_labels)
            loss.backward()
            optimizer.step()
            # the last batch may be smaller: each image counts alike, as in Keras
            total += loss.item() * len(some_images)
        losses.append(total / len(images))
        print(f"epoch {epoch + 1} of {epochs}: loss {losses[-1]:.4f}")
    return losses


def evaluate(model, images, labels):
    loader = DataLoader(TensorDataset(images, labels), batch_size=BATCH_SIZE)
    cross_entropy = nn.CrossEntropyLoss()
    total, right = 0.0, 0
    model.eval()
    with torch.no_grad():
        for some_images, some_labels in loader:
            logits = model(some_images)
            total += cross_entropy(logits, some_labels).item() * len(some_images)
            right += (logits.argmax(dim=1) == some_labels).sum().item()
    return total / len(images), right / len(images)


def main():
    from torchvision.datasets import MNIST

    training = MNIST("data", train=True, download=True)
    test = MNIST("data", train=False, download=True)
    model = build()
    print(model)
    train(model, prepare(training.data), training.targets)
    loss, accuracy = evaluate(model, prepare(test.data), test.targets)
    print(f"on the test images: loss {loss:.4f}, accuracy {accuracy:.4f}")


if __name__ == "__main__":
    main()
