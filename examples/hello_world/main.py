"""Reverses text: the smallest capability there is."""

from livepeer.runner import Pipeline, serve


class HelloWorld(Pipeline):
    """Reverses text."""

    version = "1.0.0"

    def predict(self, text: str) -> dict[str, str]:
        """Reverse `text`."""
        return {"text": text[::-1]}


if __name__ == "__main__":
    serve(HelloWorld)
