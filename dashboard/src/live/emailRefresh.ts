// Takes an episode's row from the API again and puts it wherever it is shown: the row is the truth.
import type { InfiniteData, QueryClient } from "@tanstack/react-query";
import { request } from "../api/client.ts";
import { keys } from "../api/keys.ts";
import type { EmailDetail, EmailRow, Page } from "../api/types.ts";

export type EmailPages = InfiniteData<Page<EmailRow>, string | null>;

export function emailPath(episodeId: string): string {
  return `/api/emails/${encodeURIComponent(episodeId)}`;
}

/** Put a row into loaded pages where its episode is; pages without it keep their identity. */
export function patchEmailPages(pages: EmailPages, row: EmailRow): EmailPages {
  const isIn = (page: Page<EmailRow>): boolean =>
    page.items.some((item) => item.episode_id === row.episode_id);
  if (!pages.pages.some(isIn)) return pages;
  return {
    ...pages,
    pages: pages.pages.map((page) =>
      isIn(page)
        ? {
            ...page,
            items: page.items.map((item) => (item.episode_id === row.episode_id ? row : item)),
          }
        : page,
    ),
  };
}

function isShown(client: QueryClient, episodeId: string): boolean {
  if (client.getQueryState(keys.email(episodeId)) !== undefined) return true;
  return client
    .getQueriesData<EmailPages>({ queryKey: keys.emailLists })
    .some(([, data]) =>
      data?.pages.some((page) => page.items.some((row) => row.episode_id === episodeId)),
    );
}

/** Refetch one episode if it is shown anywhere. */
export async function refreshEmail(client: QueryClient, episodeId: string): Promise<void> {
  if (!isShown(client, episodeId)) return;
  const row = await request<EmailDetail>(emailPath(episodeId));
  client.setQueryData(keys.email(episodeId), row);
  client.setQueriesData<EmailPages>({ queryKey: keys.emailLists }, (pages) =>
    pages === undefined ? pages : patchEmailPages(pages, row),
  );
}
