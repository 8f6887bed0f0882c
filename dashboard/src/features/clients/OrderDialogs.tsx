// The dialogs that add an order and change one, each with the button that opens it.
import { useState } from "react";
import type { OrderChanges, OrderRow } from "../../api/types.ts";
import { Button } from "../../shared/ui/Button.tsx";
import { Modal } from "../../shared/ui/Modal.tsx";
import { OrderForm, type OrderFields } from "./OrderForm.tsx";
import { useCreateOrder, useUpdateOrder } from "./writes.ts";

export function AddOrder({ clientId, currency }: { clientId: number; currency: string }) {
  const [open, setOpen] = useState(false);
  const create = useCreateOrder();
  function show(next: boolean): void {
    create.reset();
    setOpen(next);
  }
  return (
    <>
      <Button
        weight="primary"
        small
        onClick={() => {
          show(true);
        }}
      >
        Add order
      </Button>
      <Modal
        open={open}
        onOpenChange={show}
        title="Add an order"
        about="It is dated now by the business clock."
      >
        <OrderForm
          order={null}
          currency={currency}
          busy={create.isPending}
          problem={create.error}
          onSubmit={(fields) => {
            create.mutate(
              { client_id: clientId, ...fields },
              {
                onSuccess: () => {
                  show(false);
                },
              },
            );
          }}
          onCancel={() => {
            show(false);
          }}
        />
      </Modal>
    </>
  );
}

/** Only what differs is sent. */
export function orderChangesOf(order: OrderRow, fields: OrderFields): OrderChanges {
  const changes: OrderChanges = {};
  if (Number(fields.amount) !== Number(order.amount)) changes.amount = fields.amount;
  if (fields.currency !== order.currency) changes.currency = fields.currency;
  if (fields.status !== order.status) changes.status = fields.status;
  if (fields.category !== order.category) changes.category = fields.category;
  return changes;
}

export function EditOrder({ order }: { order: OrderRow }) {
  // The row as it was when the dialog opened: live changes must not slip under the form.
  const [seen, setSeen] = useState<OrderRow | null>(null);
  const update = useUpdateOrder();
  function show(row: OrderRow | null): void {
    update.reset();
    setSeen(row);
  }
  function save(row: OrderRow, fields: OrderFields): void {
    const changes = orderChangesOf(row, fields);
    const done = (): void => {
      show(null);
    };
    if (Object.keys(changes).length === 0) done();
    else update.mutate({ seen: row, changes }, { onSuccess: done });
  }
  return (
    <>
      <Button
        small
        aria-label={`Edit order ${order.id}`}
        onClick={() => {
          show(order);
        }}
      >
        Edit
      </Button>
      <Modal
        open={seen !== null}
        onOpenChange={() => {
          show(null);
        }}
        title={`Edit order ${order.id}`}
      >
        {seen === null ? null : (
          <OrderForm
            order={seen}
            currency={seen.currency}
            busy={update.isPending}
            problem={update.error}
            onSubmit={(fields) => {
              save(seen, fields);
            }}
            onCancel={() => {
              show(null);
            }}
          />
        )}
      </Modal>
    </>
  );
}
