// Every address of the dashboard, and what its search may hold; what it may not is dropped.
import {
  createBrowserHistory,
  createRootRoute,
  createRoute,
  createRouter,
  lazyRouteComponent,
  redirect,
  type RouterHistory,
} from "@tanstack/react-router";
import { ErrorPage, NotFoundPage } from "./pages/ErrorPage.tsx";
import { readClientSearch, readEmailSearch } from "./search.ts";
import { Shell } from "./Shell.tsx";

const root = createRootRoute({
  component: Shell,
  notFoundComponent: NotFoundPage,
  errorComponent: ErrorPage,
});

const home = createRoute({
  getParentRoute: () => root,
  path: "/",
  beforeLoad: () => {
    // eslint-disable-next-line @typescript-eslint/only-throw-error -- the router's own protocol
    throw redirect({ to: "/clients" });
  },
});

const clients = createRoute({
  getParentRoute: () => root,
  path: "clients",
  validateSearch: readClientSearch,
  component: lazyRouteComponent(() => import("./pages/ClientsPage.tsx"), "ClientsPage"),
});

const client = createRoute({
  getParentRoute: () => root,
  path: "clients/$clientId",
  params: {
    parse: ({ clientId }) => ({ clientId: Number(clientId) }),
    stringify: ({ clientId }) => ({ clientId: String(clientId) }),
  },
  component: lazyRouteComponent(() => import("./pages/ClientPage.tsx"), "ClientPage"),
});

const emails = createRoute({
  getParentRoute: () => root,
  path: "emails",
  validateSearch: readEmailSearch,
  component: lazyRouteComponent(() => import("./pages/EmailsPage.tsx"), "EmailsPage"),
});

const email = createRoute({
  getParentRoute: () => emails,
  path: "$episodeId",
  component: lazyRouteComponent(() => import("./pages/EmailPage.tsx"), "EmailPage"),
});

const tree = root.addChildren([home, clients, client, emails.addChildren([email])]);

export function createAppRouter(history: RouterHistory = createBrowserHistory()) {
  return createRouter({
    routeTree: tree,
    history,
    defaultPreload: "intent",
    scrollRestoration: true,
  });
}

export type AppRouter = ReturnType<typeof createAppRouter>;

declare module "@tanstack/react-router" {
  interface Register {
    router: AppRouter;
  }
}
