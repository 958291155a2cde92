# The operator's own processes: `api`, `prepare`, the workers, and every command. No compiler.
FROM python:3.12.12-slim

# What the API's processes tell each other is written to /data; nothing there outlives the container.
RUN useradd --uid 1000 --create-home operator && install --directory --owner=operator /data
ENV HUB_DATA_DIR=/data PYTHONUNBUFFERED=1
WORKDIR /operator

# The libraries change less often than we do.
COPY requirements.lock ./
RUN pip install --no-cache-dir --require-hashes -r requirements.lock

COPY . .
RUN pip install --no-cache-dir --no-deps --no-build-isolation -e .

USER operator
EXPOSE 8123
ENTRYPOINT ["nocust-operator"]
CMD ["api"]
