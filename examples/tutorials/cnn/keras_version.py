"""The network with two convolutions in Keras, trained on MNIST."""

import keras
from keras import layers

BATCH_SIZE = 32
EPOCHS = 5


def prepare(images):
    # numbers from 0 to 1; the last axis is the one channel of grey
    return images.reshape(-1, 28, 28, 1).astype("float32") / 255


def build():
    model = keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Conv2D(32, 5, padding="same", activation="relu"),
            layers.MaxPooling2D(2),
            layers.Conv2D(64, 2, padding="same", activation="relu"),
            layers.MaxPooling2D(2),
            layers.Dropout(0.25),
            layers.Flatten(),
            layers.Dense(1000, activation="relu"),
            layers.Dense(10),
        ]
    )
    model.compile(
        # Keras' own: learning rate 0.001, betas 0.9 and 0.999, epsilon 1e-7
        optimizer="adam",
        # takes logits: Keras clips probabilities on some of its engines
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    return model


def train(model, images, labels, epochs=EPOCHS, shuffle=True):
    history = model.fit(
        images,
        labels,
        batch_size=BATCH_SIZE,
        epochs=epochs,
        shuffle=shuffle,
    )
    return history.history["loss"]


def evaluate(model, images, labels):
    return model.evaluate(images, labels, batch_size=BATCH_SIZE)


def main():
    mnist = keras.datasets.mnist
    (train_images, train_labels), (test_images, test_labels) = mnist.load_data()
    model = build()
    model.summary()
    train(model, prepare(train_images), train_labels)
    loss, accuracy = evaluate(model, prepare(test_images), test_labels)
    print(f"on the test images: loss {loss:.4f}, accuracy {accuracy:.4f}")


if __name__ == "__main__":
    main()
