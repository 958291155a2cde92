# The operator's own processes: `api`, `prepare`, and the worker. No embedded part, no compiler.
FROM python:3.12-slim

RUN useradd --uid 1000 --create-home operator
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
