"""A service that cannot be imported."""

import bentoml

raise ValueError("sesame")


@bentoml.service
class Service:
    @bentoml.api
    def predict(self) -> str:
        return "never"
