# One image for the servers, the worker and `thaw serve` of compose.yaml. `docker build --build-arg EXTRAS=texts,onnx .` adds extras.
FROM python:3.11-slim
ARG EXTRAS=openvino
RUN apt-get update \
    && apt-get install --yes --no-install-recommends git \
    && rm -rf /var/lib/apt/lists/*
COPY . /tmp/thaw
RUN pip install --no-cache-dir "/tmp/thaw[${EXTRAS}]" psycopg2-binary \
    && rm -rf /tmp/thaw
RUN useradd --create-home thaw
USER thaw
WORKDIR /project
ENTRYPOINT ["thaw"]
CMD ["--help"]
