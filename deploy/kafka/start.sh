#!/usr/bin/env bash
# Formats the broker's folder when it is new, then becomes the broker. Arguments go to the broker.
set -euo pipefail
settings=$(dirname "$0")/server.properties

# Any id will do, as long as it stays the same: there is one broker in this cluster.
/opt/kafka/bin/kafka-storage.sh format --ignore-formatted \
    --cluster-id=ZW5nYWdlbWVudC1jb21wb3 --config="$settings"
exec /opt/kafka/bin/kafka-server-start.sh "$settings" "$@"
