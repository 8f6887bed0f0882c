// The client's orders, newest first, with the ways to add one and to change one.
import type { OrderRow } from "../../api/types.ts";
import { May } from "../../auth/may.tsx";
import { money } from "../../shared/format.ts";
import { Card } from "../../shared/ui/Card.tsx";
import { LoadMore } from "../../shared/ui/LoadMore.tsx";
import { Empty, Loading, Problem } from "../../shared/ui/Notice.tsx";
import { Time } from "../../shared/ui/Time.tsx";
import { AddOrder, EditOrder } from "./OrderDialogs.tsx";
import styles from "./Orders.module.css";
import { useOrders } from "./queries.ts";
import { counts } from "./timeline/happenings.ts";

const DEFAULT_CURRENCY = "USD";

export function Orders({ clientId }: { clientId: number }) {
  const query = useOrders(clientId);
  const orders = query.data?.pages.flatMap((page) => page.items) ?? [];
  const currency = orders[0]?.currency ?? DEFAULT_CURRENCY;
  return (
    <Card
      title="Orders"
      aside={
        <May scope="clients:write">
          <AddOrder clientId={clientId} currency={currency} />
        </May>
      }
    >
      {query.isPending ? (
        <Loading what="orders" rows={3} />
      ) : query.data === undefined ? (
        <Problem error={query.error} onRetry={() => void query.refetch()} small />
      ) : orders.length === 0 ? (
        <Empty title="No orders yet">
          <p>Add the first one; the score follows within seconds.</p>
        </Empty>
      ) : (
        <>
          <ul className={styles["list"]} role="list" data-testid="orders">
            {orders.map((order) => (
              <Order key={order.id} order={order} />
            ))}
          </ul>
          <LoadMore
            hasMore={query.hasNextPage}
            loading={query.isFetchingNextPage}
            error={query.isFetchNextPageError ? query.error : null}
            onMore={() => void query.fetchNextPage()}
          />
        </>
      )}
    </Card>
  );
}

function Order({ order }: { order: OrderRow }) {
  const counted = counts(order);
  return (
    <li className={styles["order"]} data-testid={`order-${order.id}`}>
      <div>
        <p className={styles["when"]}>
          <Time at={order.ordered_at} year />
        </p>
        <p className={styles["about"]}>
          {order.category} · <span className={counted ? "" : styles["void"]}>{order.status}</span>
          {counted ? "" : ", does not count"}
        </p>
      </div>
      <span className={styles["amount"]} data-void={!counted}>
        {money(order.amount, order.currency)}
      </span>
      <May scope="clients:write">
        <EditOrder order={order} />
      </May>
    </li>
  );
}
