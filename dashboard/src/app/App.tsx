// The providers around all pages.
import { CSPProvider } from "@base-ui/react/csp-provider";
import { QueryClientProvider, type QueryClient } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import type { AppRouter } from "./router.tsx";

export function App({ client, router }: { client: QueryClient; router: AppRouter }) {
  return (
    // The server's content security policy refuses <style> elements, so none are made.
    <CSPProvider disableStyleElements>
      <QueryClientProvider client={client}>
        <RouterProvider router={router} />
      </QueryClientProvider>
    </CSPProvider>
  );
}
