// The providers around all pages.
import { CSPProvider } from "@base-ui/react/csp-provider";
import { QueryClientProvider, type QueryClient } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { useState } from "react";
import type { Session } from "../auth/session.ts";
import { SessionGate } from "../auth/SessionGate.tsx";
import { fetchSource, type CreateSource } from "../live/source.ts";
import { SourceContext } from "../live/useLive.ts";
import type { AppRouter } from "./router.tsx";
import { SessionContext } from "./session.ts";

interface Props {
  client: QueryClient;
  session: Session;
  createRouter: () => AppRouter;
  createSource?: CreateSource;
}

export function App({ client, session, createRouter, createSource = fetchSource }: Props) {
  return (
    // The server's content security policy refuses <style> elements, so none are made.
    <CSPProvider disableStyleElements>
      <QueryClientProvider client={client}>
        <SessionContext value={session}>
          <SessionGate session={session}>
            <SourceContext value={createSource}>
              <Pages createRouter={createRouter} />
            </SourceContext>
          </SessionGate>
        </SessionContext>
      </QueryClientProvider>
    </CSPProvider>
  );
}

/** The router reads the address when it is made: only once the sign-in has put it right. */
function Pages({ createRouter }: { createRouter: () => AppRouter }) {
  const [router] = useState(createRouter);
  return <RouterProvider router={router} />;
}
