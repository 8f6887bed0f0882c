#!/usr/bin/env bash
# Runs a class of Kafka's with the options that Kafka's own scripts read. The options are several words.
# shellcheck disable=SC2086
exec java ${KAFKA_HEAP_OPTS:-} ${KAFKA_JVM_PERFORMANCE_OPTS:-} ${KAFKA_LOG4J_OPTS:-} -cp '/opt/kafka/libs/*' "$@"
