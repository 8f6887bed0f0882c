// A page whose code is fetched when it is first needed; where that fails, a page that says so.
import { useQuery } from "@tanstack/react-query";
import { lazyRouteComponent, type AsyncRouteComponent } from "@tanstack/react-router";
import { useEffect, useState, type ComponentType } from "react";
import { request } from "../api/client.ts";
import { Loading } from "../shared/ui/Notice.tsx";
import { ErrorPage } from "./pages/ErrorPage.tsx";

/** What fails in a window younger than this would fail again in the next, and so on. */
const YOUNG_MS = 10_000;

/**
 * Fetch a page when it is needed; the importer's failure becomes a page of its own.
 *
 * What is imported is of no known type: a page knows its route, and so the route must not take its
 * own type from the page.
 */
export function lazyPage(
  importer: () => Promise<object>,
  name: string,
): AsyncRouteComponent<object> {
  return lazyRouteComponent(async () => {
    try {
      const pages = (await importer()) as Record<string, ComponentType | undefined>;
      const page = pages[name];
      if (page === undefined) throw new Error(`there is no page ${name}`);
      return { default: page };
    } catch (cause) {
      return { default: () => <LostPage cause={cause} /> };
    }
  });
}

/**
 * What stands where a page's code could not be fetched. Browsers remember that it failed, or that
 * its styles did: only a window that is loaded anew fetches them again, and it would be lost itself
 * while the server is away. Where the server answers, it may also have newer pages by now.
 */
function LostPage({ cause }: { cause: unknown }) {
  const [isAsked, setAsked] = useState(false);
  const server = useQuery({
    queryKey: ["server"],
    queryFn: async ({ signal }) => {
      await request("/api/auth", { signal });
      return { isYoung: performance.now() < YOUNG_MS };
    },
    staleTime: 0,
    gcTime: 0,
    retry: false,
  });
  const isThere = server.isSuccess && !server.isFetching;
  // A server that was away is why the code did not come: that it is back is no reason to go on for ever.
  const wasAway = server.errorUpdateCount > 0;
  const isNext = isThere && (isAsked || wasAway || !server.data.isYoung);
  useEffect(() => {
    if (isNext) window.location.reload();
  }, [isNext]);
  if (server.isFetching || isNext) return <Loading what="the page" />;
  return (
    <ErrorPage
      error={server.error ?? cause}
      reset={() => {
        setAsked(true);
        if (!isThere) void server.refetch();
      }}
    />
  );
}
