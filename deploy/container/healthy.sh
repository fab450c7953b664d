#!/bin/sh
# Whether the service answers on its socket: the container's health check.
exec holdfast notices --server unix:/run/holdfast/holdfast.sock --format json >/dev/null
