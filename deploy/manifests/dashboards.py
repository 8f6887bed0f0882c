"""What people look at in Grafana: the system with its hops, client-api, the scorer, the mailer."""

import json

from deploy.manifests.documents import Block, Document
from deploy.manifests.panels import Dashboard, Panel, Query, Row, document, of, quantile, rate

OURS = 'service=~"client-api|projector|cdc-relay|scorer|mailer"'
SCORER = 'service="scorer"'
FAILED, REFUSED = 'status=~"5.."', 'status=~"4.."'
UNCERTAIN = 'state="uncertain"'
ACCEPTED = 'outcome="accepted"'
WAITING = of("engage_dead_letters_waiting")

_WELL = Row(
    "Is it well?",
    (
        Panel(
            "Services that answer",
            (Query(f"max by (service) ({of('up', OURS)})", "{{service}}"),),
            kind="stat",
            width=12,
            says="1 where at least one replica tells its metrics: alert ServiceDown.",
        ),
        Panel(
            "Ledger: out of balance by",
            (Query(f"max({of('engage_ledger_imbalance')})"),),
            kind="stat",
            width=4,
            bad_from=1,
            says="The invariant: 0, or episodes and their history differ.",
        ),
        Panel(
            "Dead letters waiting",
            (Query(f"sum(max by (topic, reason) ({WAITING})) or vector(0)"),),
            kind="stat",
            width=4,
            bad_from=1,
        ),
        Panel(
            "Emails of unknown outcome",
            (Query(f"max({of('engage_episodes', UNCERTAIN)})"),),
            kind="stat",
            width=4,
            bad_from=1,
        ),
    ),
)
_HOPS = Row(
    "From the row to the email",
    (
        Panel(
            "Behind, in seconds",
            (Query(f"max by (reader) ({of('engage_lag_seconds')})", "{{reader}}"),),
            unit="s",
            bad_from=300,
            says="Age of the oldest record that a reader has not read; of capture, of its heartbeat"
            " (up to ten seconds are usual).",
        ),
        Panel(
            "Behind, in records",
            (Query(f"max by (reader) ({of('engage_lag_records')})", "{{reader}}"),),
        ),
        Panel(
            "The slot's share of Postgres' log",
            (
                Query(f"max({of('engage_slot_bytes')})", "kept"),
                Query(f"min({of('engage_slot_safe_bytes')})", "left"),
            ),
            unit="bytes",
            bad_from=2 * 1024**3,
            says="At 4 GiB Postgres gives the slot up: nothing is left then, and nothing kept.",
        ),
        Panel(
            "Records a second",
            (
                Query(f"sum({rate('engage_relay_records_read_total')})", "relay"),
                Query(f"sum({rate('engage_scorer_records_total')})", "scorer"),
                Query(f"sum({rate('engage_projector_records_total')})", "projector"),
                Query(f"sum({rate('engage_mailer_records_total')})", "mailer"),
            ),
            unit="ops",
        ),
        Panel(
            "Delay of a hop (p95)",
            (
                Query(quantile(0.95, "engage_relay_delay_seconds"), "relay"),
                Query(quantile(0.95, "engage_scorer_delay_seconds"), "scorer"),
                Query(quantile(0.95, "engage_projector_delay_seconds"), "projector"),
                Query(quantile(0.95, "engage_mailer_delay_seconds"), "mailer"),
            ),
            unit="s",
            says="How old records are when what follows from them is durable.",
        ),
        Panel(
            "Dead letters an hour",
            (
                Query(
                    f"sum by (topic, reason) (increase({of('engage_dead_letters_total')}[1h]))",
                    "{{topic}}: {{reason}}",
                ),
            ),
        ),
        Panel(
            "Members of the readers' groups",
            (Query(f"max by (reader) ({of('engage_reader_members')})", "{{reader}}"),),
        ),
        Panel(
            "Relay: transactions a second",
            (
                Query(
                    f"sum by (outcome) ({rate('engage_relay_transactions_total')})", "{{outcome}}"
                ),
            ),
            unit="ops",
        ),
        Panel(
            "Relay: records a second",
            (
                Query(f"sum({rate('engage_relay_records_read_total')})", "read"),
                Query(f"sum({rate('engage_relay_records_written_total')})", "written"),
                Query(f"sum({rate('engage_relay_duplicates_total')})", "again"),
            ),
            unit="ops",
        ),
        Panel(
            "Relay: waits",
            (Query(f"sum({rate('engage_relay_waited_seconds_total')})", "share of time"),),
            unit="percentunit",
            says="Because of RELAY_RECORDS_PER_S, or before it tries again.",
        ),
        Panel(
            "Relay: a transaction",
            (
                Query(quantile(0.5, "engage_relay_transaction_seconds"), "p50"),
                Query(quantile(0.95, "engage_relay_transaction_seconds"), "p95"),
            ),
            unit="s",
        ),
    ),
)
_PROCESSES = Row(
    "Processes",
    (
        Panel(
            "Memory",
            (
                Query(
                    f"max by (service) ({of('process_resident_memory_bytes', OURS)})", "{{service}}"
                ),
            ),
            unit="bytes",
            says="Of the largest replica; budgets are in docs/benchmarks.md.",
        ),
        Panel(
            "Processors",
            (
                Query(
                    f"sum by (service) ({rate('process_cpu_seconds_total', OURS)})", "{{service}}"
                ),
            ),
        ),
        Panel(
            "Open files",
            (Query(f"max by (service) ({of('process_open_fds', OURS)})", "{{service}}"),),
        ),
    ),
)

_REQUESTS = Row(
    "Requests",
    (
        Panel(
            "Rate",
            (
                Query(
                    f"sum by (method, route) ({rate('engage_api_requests_total')})",
                    "{{method}} {{route}}",
                ),
            ),
            unit="reqps",
            width=12,
            stacked=True,
        ),
        Panel(
            "Errors",
            (
                Query(
                    f"sum by (route, status) ({rate('engage_api_requests_total', FAILED)})",
                    "{{status}} {{route}}",
                ),
            ),
            unit="reqps",
            says="Answers that are our fault.",
        ),
        Panel(
            "Failing",
            (
                Query(
                    f"(sum({rate('engage_api_requests_total', FAILED)}) or vector(0))"
                    f" / sum({rate('engage_api_requests_total')})"
                ),
            ),
            unit="percentunit",
            kind="stat",
            width=4,
            bad_from=0.02,
        ),
        Panel(
            "Duration",
            (
                Query(quantile(0.5, "engage_api_request_seconds"), "p50"),
                Query(quantile(0.95, "engage_api_request_seconds"), "p95"),
                Query(quantile(0.99, "engage_api_request_seconds"), "p99"),
            ),
            unit="s",
            width=12,
        ),
        Panel(
            "Duration by route (p95)",
            (
                Query(
                    quantile(0.95, "engage_api_request_seconds", by="method, route"),
                    "{{method}} {{route}}",
                ),
            ),
            unit="s",
            width=12,
        ),
        Panel(
            "Refused to their callers",
            (
                Query(
                    f"sum by (status) ({rate('engage_api_requests_total', REFUSED)})",
                    "{{status}}",
                ),
            ),
            unit="reqps",
            says="401: no token; 403: no right; 409, 412: somebody was faster; 429: too often.",
        ),
        Panel(
            "Connections to Postgres in use",
            (Query(f"sum by (pool) ({of('engage_api_connections_in_use')})", "{{pool}}"),),
        ),
        Panel("Event streams", (Query(f"sum({of('engage_api_event_streams')})", "open"),)),
    ),
)
_PROJECTOR = Row(
    "Projector",
    (
        Panel(
            "Rows a second",
            (Query(f"sum by (outcome) ({rate('engage_projector_rows_total')})", "{{outcome}}"),),
            unit="ops",
            stacked=True,
        ),
        Panel(
            "A batch",
            (
                Query(quantile(0.5, "engage_projector_batch_seconds"), "p50"),
                Query(quantile(0.95, "engage_projector_batch_seconds"), "p95"),
            ),
            unit="s",
        ),
        Panel(
            "Failures of Postgres",
            (Query(f"sum({rate('engage_projector_postgres_failures_total')})", "a second"),),
        ),
        Panel(
            "Days behind",
            (Query(f"min({of('engage_projector_days_behind')})"),),
            kind="stat",
            width=4,
            bad_from=1,
        ),
        Panel(
            "The last switch of the day",
            (Query(f"max({of('engage_projector_day_switch_seconds')})"),),
            unit="s",
            kind="stat",
            width=4,
        ),
    ),
)

_SCORING = Row(
    "Scoring",
    (
        Panel(
            "Records a second",
            (Query(f"sum by (topic) ({rate('engage_scorer_records_total')})", "{{topic}}"),),
            unit="ops",
            stacked=True,
        ),
        Panel(
            "Told a second",
            (Query(f"sum by (kind) ({rate('engage_scorer_told_total')})", "{{kind}}"),),
            unit="ops",
        ),
        Panel(
            "Delay",
            (
                Query(quantile(0.5, "engage_scorer_delay_seconds"), "p50"),
                Query(quantile(0.95, "engage_scorer_delay_seconds"), "p95"),
                Query(quantile(0.99, "engage_scorer_delay_seconds"), "p99"),
            ),
            unit="s",
        ),
        Panel(
            "A batch becomes durable",
            (
                Query(quantile(0.5, "engage_scorer_settle_seconds"), "p50"),
                Query(quantile(0.95, "engage_scorer_settle_seconds"), "p95"),
            ),
            unit="s",
        ),
        Panel(
            "Rows written a second",
            (Query(f"sum by (pod) ({rate('engage_scorer_rows_written_total')})", "{{pod}}"),),
            unit="ops",
        ),
        Panel(
            "A tick waits",
            (Query(f"max by (pod) ({of('engage_scorer_tick_wait_seconds')})", "{{pod}}"),),
            unit="s",
            bad_from=120,
            says="While one waits, no episode opens in its partition.",
        ),
    ),
)
_WORKERS = Row(
    "Workers",
    (
        Panel(
            "Partitions",
            (Query(f"sum by (pod) ({of('engage_scorer_partitions')})", "{{pod}}"),),
            stacked=True,
        ),
        Panel(
            "Partitions in which another generation speaks",
            (Query(f"sum by (pod) ({of('engage_scorer_silent_partitions')})", "{{pod}}"),),
        ),
        Panel(
            "Behind its lanes",
            (Query(f"sum by (pod) ({of('engage_scorer_lag_records')})", "{{pod}}"),),
        ),
        Panel(
            "In flight",
            (Query(f"sum by (pod) ({of('engage_scorer_in_flight_records')})", "{{pod}}"),),
        ),
        Panel(
            "Rows recovered a second",
            (
                Query(
                    f"sum by (pod) ({rate('engage_scorer_restored_rows_total')})"
                    f" / sum by (pod) ({rate('engage_scorer_restore_seconds_total')})",
                    "{{pod}}",
                ),
            ),
            unit="ops",
            says="While partitions are taken: after a start or a rebalance.",
        ),
        Panel(
            "Memory",
            (
                Query(
                    f"max by (pod) ({of('process_resident_memory_bytes', SCORER)})",
                    "{{pod}}",
                ),
            ),
            unit="bytes",
        ),
    ),
)

_LEDGER = Row(
    "Episodes",
    (
        Panel(
            "By state",
            (Query(f"max by (state) ({of('engage_episodes')})", "{{state}}"),),
            width=16,
            stacked=True,
        ),
        Panel(
            "Out of balance by",
            (Query(f"max({of('engage_ledger_imbalance')})"),),
            kind="stat",
            width=4,
            bad_from=1,
        ),
        Panel(
            "Ledger read",
            (Query(f"time() - max({of('engage_ledger_read_timestamp_seconds')})", "ago"),),
            unit="s",
            kind="stat",
            width=4,
            bad_from=900,
        ),
        Panel(
            "Texts a minute",
            (Query(f"60 * sum by (outcome) ({rate('engage_mailer_texts_total')})", "{{outcome}}"),),
            stacked=True,
        ),
        Panel(
            "Rules that texts broke, an hour",
            (
                Query(
                    f"sum by (rule) (increase({of('engage_mailer_broken_rules_total')}[1h]))",
                    "{{rule}}",
                ),
            ),
        ),
        Panel("Being written", (Query(f"sum({of('engage_mailer_claims')})", "episodes"),)),
    ),
)
_MODEL = Row(
    "The model",
    (
        Panel(
            "Spent in a day",
            (Query(f"sum(increase({of('engage_mailer_model_cost_usd_total')}[1d]))"),),
            unit="currencyUSD",
            kind="stat",
            width=4,
        ),
        Panel(
            "An email costs",
            (
                Query(
                    f"sum(increase({of('engage_mailer_model_cost_usd_total')}[1d])) / sum(increase("
                    f"{of('engage_mailer_texts_total', ACCEPTED)}[1d]))"
                ),
            ),
            unit="currencyUSD",
            kind="stat",
            width=4,
        ),
        Panel(
            "Mailers that ask nothing",
            (Query(f"sum({of('engage_mailer_model_paused')})"),),
            kind="stat",
            width=4,
            bad_from=1,
        ),
        Panel(
            "Spent an hour",
            (Query(f"3600 * sum({rate('engage_mailer_model_cost_usd_total')})", "US dollars"),),
            unit="currencyUSD",
            width=12,
        ),
        Panel(
            "Calls a minute",
            (
                Query(
                    f"60 * sum by (outcome) ({rate('engage_mailer_model_calls_total')})",
                    "{{outcome}}",
                ),
            ),
            stacked=True,
        ),
        Panel(
            "A call",
            (
                Query(quantile(0.5, "engage_mailer_model_call_seconds"), "p50"),
                Query(quantile(0.95, "engage_mailer_model_call_seconds"), "p95"),
            ),
            unit="s",
        ),
        Panel(
            "Tokens a minute",
            (
                Query(
                    f"60 * sum by (kind) ({rate('engage_mailer_model_tokens_total')})", "{{kind}}"
                ),
            ),
        ),
    ),
)
_DELIVERY = Row(
    "Delivery",
    (
        Panel(
            "Messages a minute",
            (
                Query(
                    f"60 * sum by (outcome) ({rate('engage_mailer_deliveries_total')})",
                    "{{outcome}}",
                ),
            ),
            stacked=True,
        ),
        Panel(
            "A message",
            (
                Query(quantile(0.5, "engage_mailer_delivery_seconds"), "p50"),
                Query(quantile(0.95, "engage_mailer_delivery_seconds"), "p95"),
            ),
            unit="s",
        ),
        Panel(
            "A batch of episodes is recorded",
            (
                Query(quantile(0.5, "engage_mailer_batch_seconds"), "p50"),
                Query(quantile(0.95, "engage_mailer_batch_seconds"), "p95"),
            ),
            unit="s",
        ),
    ),
)

DASHBOARDS = {
    "system": Dashboard("engagement-system", "Engagement: system", (_WELL, _HOPS, _PROCESSES)),
    "client-api": Dashboard(
        "engagement-client-api", "Engagement: client-api and projector", (_REQUESTS, _PROJECTOR)
    ),
    "scorer": Dashboard("engagement-scorer", "Engagement: scorer", (_SCORING, _WORKERS)),
    "mailer": Dashboard(
        "engagement-mailer", "Engagement: mailer", (_LEDGER, _MODEL, _DELIVERY), hours=24
    ),
}
"""By the name of their file."""


def texts() -> dict[str, str]:
    """Return the JSON of each dashboard, by the name of its file."""
    return {
        name: json.dumps(document(dashboard), indent=2) + "\n"
        for name, dashboard in DASHBOARDS.items()
    }


def config_maps() -> list[Document]:
    """Return the same for a cluster, with the label that the sidecar of Grafana looks for."""
    return [
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": f"dashboard-{name}", "labels": {"grafana_dashboard": "1"}},
            "data": {f"engagement-{name}.json": Block(text)},
        }
        for name, text in texts().items()
    ]
